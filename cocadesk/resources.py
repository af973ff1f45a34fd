"""Finds the files that ship with the program."""

from __future__ import annotations

import sys
from pathlib import Path

from cocadesk.errors import UserError


def resource_path(*parts: str) -> Path:
    """The path of a shipped file or folder, e.g. ``resource_path("starter")``.

    Works in a checkout (``resources/`` beside the package), in an installed
    wheel (``cocadesk/resources``) and in a frozen app (``sys._MEIPASS``).

    Raises:
        UserError: the file is in none of the three places.
    """
    package = Path(__file__).resolve().parent
    roots = [package / "resources", package.parent / "resources"]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen:
        roots.insert(0, Path(frozen) / "resources")
    for root in roots:
        candidate = root.joinpath(*parts)
        if candidate.exists():
            return candidate
    raise UserError(
        f"A file that ships with CocaDesk is missing: {'/'.join(parts)}.",
        f"It was looked for in {', '.join(str(root) for root in roots)}.",
        "Install CocaDesk again.",
    )
