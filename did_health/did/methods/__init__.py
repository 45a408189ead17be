"""One module a DID method: key, jwk, web, webvh."""
