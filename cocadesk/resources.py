"""Finds the files that ship with the program, its translations among them."""

from __future__ import annotations

import gettext
import gzip
import json
import logging
import os
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from cocadesk.errors import UserError, speak, tr

LANGUAGE_VARIABLE = "COCADESK_LANGUAGE"
"""Names the language of a process and of those that it starts: ``en``, ``de``."""
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
        tr("A file that ships with CocaDesk is missing: {path}.", path="/".join(parts)),
        tr("It was looked for in {folders}.", folders=", ".join(map(str, roots))),
        tr("Install CocaDesk again."),
    )


def use_language(language: str) -> None:
    """Lets ``tr`` speak a language of ``LANGUAGES``; any other counts as English.

    Each room has a catalogue of its own (``resources/translations/de/ui.kit.mo.gz``), read when a
    text is asked for that those before lack: a command needs few. What was stored in English is
    in ``kept.json.gz``.
    """
    whole, kept = gettext.NullTranslations(), {}
    if language in LANGUAGES[1:]:
        try:
            folder = resource_path("translations", language)
            whole = _Catalogues(sorted(folder.glob("*.mo.gz")))
            kept = json.loads(gzip.decompress((folder / "kept.json.gz").read_bytes()))
        except (UserError, OSError, ValueError, EOFError, zlib.error) as error:
            _log.warning("some texts stay English: %s", error)
    speak(whole, kept)


class _Catalogues(gettext.NullTranslations):
    """The first of some catalogues with the others after it, none read before it is needed."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self._paths = paths
        self._first: gettext.NullTranslations | None = None

    def _read(self) -> gettext.NullTranslations:
        if self._first is None:
            self._first = gettext.NullTranslations()
            if self._paths:
                try:
                    with gzip.open(self._paths[0]) as file:
                        self._first = gettext.GNUTranslations(file)
                except (OSError, ValueError, EOFError, zlib.error) as error:
                    _log.warning("some texts stay English: %s", error)
                self._first.add_fallback(_Catalogues(self._paths[1:]))
        return self._first

    def gettext(self, message: str) -> str:
        """The text in the language, else as it is."""
        return self._read().gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The text for a number."""
        return self._read().ngettext(msgid1, msgid2, n)

    def pgettext(self, context: str, message: str) -> str:
        """The text of a context."""
        return self._read().pgettext(context, message)


def settle_language() -> None:
    """The language of ``COCADESK_LANGUAGE``, else the window's, else that of the system."""
    named = os.environ.get(LANGUAGE_VARIABLE, "")
    use_language(named if named in LANGUAGES else window_language() or _system_language())


def window_language() -> str:
    """The language that the person chose for the window, in whose settings it stands; else empty.

    Read without Qt, whose file it is; damaged or missing, it counts as never chosen.
    """
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA", ""))
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    try:
        text = (folder / "cocadesk" / "window.ini").read_text("utf-8", "replace")
    except (OSError, RuntimeError):
        return ""
    found = re.search(r"^language=\W*(\w+)", text, re.MULTILINE)
    return found[1] if found and found[1] in LANGUAGES else ""


def _system_language() -> str:
    """The language of the system's messages, as gettext settles it; English for others.

    Windows has no such variables unless a person sets them, but a language of its own.
    """
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if not locale and sys.platform == "win32":
        locale = _windows_locale()
    wanted = [*os.environ.get("LANGUAGE", "").split(":"), locale]
    if locale.split(".")[0] in ("", "C", "POSIX"):
        wanted = [locale]
    codes = (name.split(".")[0].split("@")[0].split("_")[0] for name in wanted)
    return next((code for code in codes if code in LANGUAGES), LANGUAGES[0])


def _windows_locale() -> str:
    """The language that Windows shows itself in, such as ``de_AT``; empty where it is unknown."""
    import ctypes
    from locale import windows_locale

    library = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return windows_locale.get(library.GetUserDefaultUILanguage(), "")
