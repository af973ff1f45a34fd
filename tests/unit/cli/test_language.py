"""The command line in German: helps, mistakes, what is printed, and how its language is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cocadesk.resources import settle_language, window_language
from tests.support.program import ROOT, Outcome, environment

_WALK = """
import json, sys
import cocadesk.engine
from cocadesk.cli.app import app
from typer.main import get_command
from typer.testing import CliRunner

def walk(command, names):
    yield [*names], command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, [*names, name])

found = []
for names, command in walk(get_command(app), []):
    shown = CliRunner().invoke(app, [*names, "--help"], terminal_width=2000).stdout
    params = [[p.help or "", p.metavar or ""] for p in command.params]
    found.append({"names": names, "help": command.help, "params": params, "shown": shown})
print(json.dumps(found))
"""


def _walked(language: str) -> list[dict[str, Any]]:
    """Each command's name, help, the helps of its options, and ``--help`` as it is printed."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _WALK],
        env={**environment(), "COCADESK_LANGUAGE": language, "TERMINAL_WIDTH": "2000"},
        capture_output=True,
        text=True,
        check=True,
    )
    walked: list[dict[str, Any]] = json.loads(done.stdout)
    return walked


def _in_german(*orders: Sequence[str | os.PathLike[str]]) -> list[Outcome]:
    """What commands give a German, one after the other in one process."""
    script = (
        "import json, sys, cocadesk.engine\nfrom tests.support.program import invoked\n"
        "done = [invoked(*order) for order in json.loads(sys.argv[1])]\n"
        "print(json.dumps([[one.code, one.out, one.err] for one in done]))"
    )
    given = json.dumps([list(map(os.fspath, order)) for order in orders])
    done = subprocess.run(
        [sys.executable, "-c", script, given],
        cwd=ROOT,
        env={**environment(), "COCADESK_LANGUAGE": "de", "COLUMNS": "300", "TERMINAL_WIDTH": "300"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [Outcome(code=c, out=o, err=e) for c, o, e in json.loads(done.stdout)]


def test_no_help_has_an_english_sentence_left() -> None:
    """Of all commands and their options; the metavars too where German has a word of its own."""
    english, german = _walked("en"), _walked("de")
    assert [item["names"] for item in english] == [item["names"] for item in german]
    assert len(english) > 45
    same = {"", "NAME", "TEXT", "[TEXT]", "N", "ID", "SHARDS", "CONFIG.toml", "FILE.html"}
    same |= {"FILE.jpg"}
    for theirs, ours in zip(english, german, strict=True):
        shown = " ".join(ours["shown"].split())
        for paragraph in theirs["help"].split("\n\n"):
            assert paragraph not in shown, ours["names"]
        assert theirs["help"] != ours["help"]
        for (help_, metavar), (hilfe, name) in zip(theirs["params"], ours["params"], strict=True):
            assert (help_ == "") == (hilfe == ""), ours["names"]
            assert help_ == "" or (help_ != hilfe and help_ not in shown), ours["names"]
            assert metavar in same or metavar != name, ours["names"]
        for word in ("Usage:", "OPTIONS", "COMMAND", "Arguments", "Options", "Commands", "default"):
            assert word not in shown, ours["names"]
        assert "Show this message" not in shown


_MISTAKES = {
    ("search",): "Das Argument 'SUCHTEXT' fehlt.",
    ("search", "a", "--limit", "x"): "Ungültiger Wert für '--limit': Das muss eine ganze Zahl sein",
    ("search", "a", "--limit", "0"): "Das muss mindestens 1 sein.",
    ("search", "a", "--sort", "x"): "'x' ist keines von 'relevance'",
    ("search", "a", "--sort"): "Die Option '--sort' braucht einen Wert.",
    ("search", "a", "b"): "Zu viele Argumente (b)",
    ("serch",): "Es gibt keinen Befehl 'serch'. Meinten Sie 'search', 'teach'?",
    ("search", "a", "--colapse"): "Es gibt keine Option --colapse (mögliche Optionen:",
    ("album",): "Der Befehl fehlt.",
    ("jobs", "pause"): "Es ist keine Aufgabe genannt.",
    ("search", " "): "Die Suche ist leer.",
}


def test_mistakes_are_told_in_german() -> None:
    """Those of the parser and ours; the exit code is that of all mistakes."""
    done = _in_german(*_MISTAKES)
    for (arguments, said), outcome in zip(_MISTAKES.items(), done, strict=True):
        assert outcome.code == 2, arguments
        assert said in outcome.err, arguments
        for word in ("Error", "Usage", "Try '", "Missing", "Invalid"):
            assert word not in outcome.err, arguments


def _settled(monkeypatch: pytest.MonkeyPatch, home: Path, **variables: str) -> str:
    """The language of a process with just these variables of languages."""
    for name in ("COCADESK_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"XDG_CONFIG_HOME": str(home), "APPDATA": str(home), **variables}.items():
        monkeypatch.setenv(name, value)
    chosen: list[str] = []
    monkeypatch.setattr("cocadesk.resources.use_language", chosen.append)
    settle_language()
    return chosen[0]


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "fr:de:en"}, "de"),
        ({"LANG": "C", "LANGUAGE": "de"}, "en"),
        ({"LANG": "en_US.UTF-8", "COCADESK_LANGUAGE": "de"}, "de"),
        ({"LANG": "de_DE.UTF-8", "COCADESK_LANGUAGE": "en"}, "en"),
        ({"LANG": "de_DE.UTF-8", "COCADESK_LANGUAGE": "tlh"}, "de"),
    ],
)
def test_the_language_is_that_of_the_system_unless_one_is_named(
    variables: dict[str, str], language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As gettext settles it: LC_ALL before LC_MESSAGES before LANG, LANGUAGE but for C."""
    assert _settled(monkeypatch, tmp_path, **variables) == language


@pytest.mark.skipif(sys.platform == "win32", reason="Qt asks Windows for its folder")
def test_the_window_s_language_holds_for_commands_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Qt writes it into the file of settings; a damaged one counts as none."""
    script = (
        "from PySide6.QtCore import QSettings\n"
        "from ui.kit.translation import LANGUAGE\n"
        "LANGUAGE.write('de')\n"
    )
    there = {**environment(), "XDG_CONFIG_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-P", "-c", script], env=there, check=True)
    assert _settled(monkeypatch, tmp_path, LANG="en_US.UTF-8") == "de"
    assert _settled(monkeypatch, tmp_path, COCADESK_LANGUAGE="en") == "en"
    (tmp_path / "cocadesk" / "window.ini").write_bytes(b"\xff\x00language")
    assert window_language() == ""
    assert _settled(monkeypatch, tmp_path, LANG="en_US.UTF-8") == "en"
