"""Fetching, with its guards; the only package that opens connections."""
