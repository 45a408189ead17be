"""Data Integrity proofs: the common rules, and one module a cryptosuite."""
