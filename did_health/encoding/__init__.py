"""Bytes and text: strict JSON, JCS, multibase, Multikey, deterministic CBOR, timestamps. Pure functions without state."""
