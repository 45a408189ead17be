"""``did-health bench``: how fast this machine verifies and issues, as multiples of one bare signature check."""

from did_health.cli.bench.command import EXAMPLE, bench

__all__ = ["EXAMPLE", "bench"]
