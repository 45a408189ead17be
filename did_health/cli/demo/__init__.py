"""``did-health demo``: the main job from end to end, on an embedded ledger, with everything that must be refused as well."""

from __future__ import annotations

from did_health.cli.demo.command import EXAMPLE, demo

__all__ = ["EXAMPLE", "demo"]
