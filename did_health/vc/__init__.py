"""W3C Verifiable Credentials: credential, presentation, validation, schema, status; one module a cryptosuite in ``vc.proofs``."""
