"""The checks of a verification, by what is looked at. All of them are made, also after one has failed; ``steps`` has their order."""
