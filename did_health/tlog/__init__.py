"""Transparency logs, pure: the C2SP formats (notes, checkpoints, cosignatures, tiles, proofs, policies) over RFC 6962 Merkle trees."""
