"""Fixtures of the unit tests."""

from tests.cli_runs import built_town, cli

__all__ = ["built_town", "cli"]
