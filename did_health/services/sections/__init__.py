"""The sections of the services' configuration, one file a section; ``table`` names them all."""
