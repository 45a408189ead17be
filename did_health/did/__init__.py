"""Decentralised identifiers: the DID, its document, its resolution; one module a method in ``did.methods``."""
