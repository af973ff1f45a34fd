"""Finds the files that ship with the program, its translations among them."""

from __future__ import annotations

import gettext
import json
import logging
import os
import sys
from pathlib import Path

from cocadesk.errors import UserError, speak

LANGUAGE_VARIABLE = "COCADESK_LANGUAGE"
"""Names the language of the window and of the engine that it starts: ``en``, ``de``."""
LANGUAGES = ("en", "de")

_log = logging.getLogger(__name__)


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


def use_language(language: str) -> None:
    """Lets ``tr`` speak a language of ``LANGUAGES``; any other counts as English.

    Each room has a catalogue of its own (``resources/translations/de/ui.kit.mo``); what was
    stored in English is in ``kept.json``.
    """
    whole, kept = gettext.NullTranslations(), {}
    if language in LANGUAGES[1:]:
        try:
            folder = resource_path("translations", language)
            for path in sorted(folder.glob("*.mo")):
                with path.open("rb") as file:
                    whole.add_fallback(gettext.GNUTranslations(file))
            kept = json.loads((folder / "kept.json").read_bytes())
        except (UserError, OSError, ValueError) as error:
            _log.warning("some texts stay English: %s", error)
    speak(whole, kept)


def settle_language() -> None:
    """The language that ``COCADESK_LANGUAGE`` names, else the one of the system's messages."""
    names = [os.environ.get(LANGUAGE_VARIABLE, "")]
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        names += os.environ.get(variable, "").split(":")
    codes = (name.split(".")[0].split("_")[0] for name in names if name)
    use_language(next((code for code in codes if code in LANGUAGES), LANGUAGES[0]))
