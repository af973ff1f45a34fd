"""The programs that the desktop has for a file, by the rules of freedesktop.org; Linux alone."""

from __future__ import annotations

import configparser
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeDatabase, QProcess

from cocadesk.errors import UserError
from cocadesk.protocol.paths import printable
from ui.kit.translation import tr

MOST = 12
ENTRY = "Desktop Entry"


@dataclass(frozen=True, slots=True)
class Program:
    """A program as people know it, with the command that opens a file."""

    name: str
    command: str

    def open(self, path: str) -> None:
        """Starts it with the file.

        Raises:
            UserError: it can't be started.
        """
        try:
            program, *arguments = self.words(path)
        except ValueError as error:
            raise UserError(
                tr("{name} could not be started.", name=self.name), f"{error}."
            ) from error
        if not QProcess.startDetached(program, arguments, "")[0]:
            raise UserError(
                tr("{name} could not be started.", name=self.name), tr("Is it still installed?")
            )

    def words(self, path: str) -> list[str]:
        """The command's words: the file in place of its field code, other codes left out.

        Raises:
            ValueError: the command's quotes do not match.
        """
        made: list[str] = []
        has_file = False
        for word in shlex.split(self.command):
            if word in ("%f", "%F"):
                made.append(path)
                has_file = True
            elif word in ("%u", "%U"):
                made.append(Path(path).as_uri())
                has_file = True
            elif not (len(word) == 2 and word.startswith("%") and word != "%%"):
                made.append(word.replace("%%", "%"))
        return made if has_file else [*made, path]


def programs_for(path: str) -> tuple[Program, ...]:
    """The programs that say they open such files, the person's own choices first."""
    if not sys.platform.startswith("linux"):
        return ()
    kind = QMimeDatabase().mimeTypeForFile(path, QMimeDatabase.MatchMode.MatchExtension).name()
    found: dict[str, Program] = {}
    for name in dict.fromkeys(_entries_for(kind)):
        program = _program(name)
        if program is not None:
            found.setdefault(program.name, program)
        if len(found) == MOST:
            break
    return tuple(found.values())


def _entries_for(kind: str) -> Iterator[str]:
    """Names of desktop files: those of the person's list, then those of the system's."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    lists = [home / "mimeapps.list"]
    lists += [folder / "mimeapps.list" for folder in _folders()]
    lists += [folder / "mimeinfo.cache" for folder in _folders()]
    for file in lists:
        read = _read(file)
        for section in ("Default Applications", "Added Associations", "MIME Cache"):
            if read is not None and read.has_option(section, kind):
                yield from (name for name in read.get(section, kind).split(";") if name)


def _program(name: str) -> Program | None:
    """The program of a desktop file; None of one that is hidden, or none of ours to start."""
    for folder in _folders():
        read = _read(folder / name)
        if read is None or not read.has_section(ENTRY):
            continue
        entry = read[ENTRY]
        is_hidden = "true" in (entry.get("NoDisplay", ""), entry.get("Hidden", ""))
        if is_hidden or entry.get("Terminal", "") == "true" or not entry.get("Exec"):
            return None
        return Program(printable(entry.get("Name", name)), entry["Exec"])
    return None


def _folders() -> list[Path]:
    own = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    others = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [Path(place) / "applications" for place in (own, *others.split(":")) if place]


def _read(path: Path) -> configparser.ConfigParser | None:
    """A file of the desktop's; None where there is none, or it is damaged."""
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, delimiters=("=",), comment_prefixes=("#",)
    )
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        parser.read_string(path.read_text("utf-8", "replace"))
    except (OSError, configparser.Error):
        return None
    return parser
