"""Print one of the fenced ``sh`` blocks of README's section Start (1 or 2), so that what a newcomer types is what is tested."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def start_blocks(text: str) -> list[str]:
    """The ``sh`` blocks of the section, in order; exits unless there are exactly two."""
    section = re.search(r"^## Start$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```sh\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL) if section else []
    if len(blocks) != 2:
        sys.exit(f"README's section Start has {len(blocks)} sh blocks, not 2")
    return blocks


if __name__ == "__main__":
    sys.stdout.write(start_blocks(README.read_text(encoding="utf-8"))[int(sys.argv[1]) - 1])
