"""Rosters: many practitioners' licences verified together, with evidence that is gathered once, and a report that can be replayed."""
