"""The command line in German: helps, mistakes, what is printed, and how its language is found."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cocadesk.model.checkpoints.checkpoint import CONFIG, WEIGHTS
from cocadesk.resources import settle_language, window_language
from tests.support.index_tools import write_photo
from tests.support.program import ROOT, Outcome, environment
from tests.support.tiny_model import write_tiny_checkpoint

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
        for kind in ("<bool>", "<str>", "<list[", "<int", "<float", "<path>", "<whole", "<number"):
            assert kind not in shown, ours["names"]


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


_ENGLISH = re.compile(
    r"\b(and|are|cannot|file|files|fit|from|has|have|is|it|its|of|should|that|the|them|these|they"
    r"|this|to|weights|what|which|with|you|your)\b",
    re.IGNORECASE,
)
"""Words that an English sentence of ours hardly does without, and no German one has."""


def _spoiled_models(folder: Path, good: Path) -> dict[str, str]:
    """Models that can't be used, each with a part of what is said of it."""
    weights, config = (good / WEIGHTS).read_bytes(), json.loads((good / CONFIG).read_text())
    spoiled = {
        "cut": (WEIGHTS, weights[: len(weights) // 2], "sie ist abgeschnitten oder keine"),
        "page": (WEIGHTS, b"<html>", "Es ist eine Webseite"),
        "empty": (WEIGHTS, b"", "sie ist leer"),
        "config": (CONFIG, json.dumps(config | {"kind": "llama"}), "Einstellung „kind“"),
        "width": (CONFIG, json.dumps(config | {"embedding_dim": 48}), "passen nicht zu seiner"),
        "broken": (CONFIG, json.dumps(config | {"dropout": 3.0}), "dropout liegt in"),
        "gewichte.bin": (None, b"PK\x03\x04" + bytes(900), "keine vollständige PyTorch-Datei"),
        "gewichte.pt": (None, pickle.dumps({"a": Path("b")}), "Objekte, die ein Programm"),
    }
    for name, (part, content, _said) in spoiled.items():
        if part is not None:
            shutil.copytree(good, folder / name)
        data = content.encode() if isinstance(content, str) else content
        (folder / name / part if part else folder / name).write_bytes(data)
    return {str(folder / name): said for name, (_part, _content, said) in spoiled.items()}


def test_a_day_with_the_command_line_has_no_english_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos read, searched, tagged and described, one of them broken; models that can't be used.

    What the model writes and the tags that ship are English, and are left out.
    """
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    photos, library = tmp_path / "fotos", ("--library", tmp_path / "bibliothek")
    for number in range(2):
        photo = write_photo(photos / f"bild{number}.jpg", number)
    (photos / "kaputt.jpg").write_bytes(photo.read_bytes()[:200])
    model = write_tiny_checkpoint(tmp_path / "modell")
    spoiled = _spoiled_models(tmp_path, model)
    plain = [
        ("index", photos, "--model", model),
        ("search", "hund", "--all"),
        ("search", "ein Hund und eine Katze mit dem Ball " * 5),
        ("search", "собака"),
        ("tag", photos),
        ("caption", photos),
        ("caption", photos, "--prompt", "ein"),
        ("explain", photo, "hund", "--out", tmp_path / "bild.jpg"),
        ("words", "set", photo, "--add-tag", "Ida"),
        ("words", "undo"),
        ("info",),
        ("jobs",),
        ("browse", "folders"),
        ("duplicates",),
        ("model", "list"),
        ("library", "check"),
        ("teach", photos),
        ("evaluate", "retrieval", model / WEIGHTS),
        ("model", "use", "hf-hub:a/b/c"),
        ("model", "use", ""),
        ("model", "use", "/dev/null"),
        ("model", "export", "starter", tmp_path / "export"),
    ]
    orders = [*plain, *(("model", "use", source) for source in spoiled)]
    done = _in_german(*((*order, *library) for order in orders))
    left = {}
    for order, outcome in zip(orders, done, strict=True):
        said = f"{outcome.out}\n{outcome.err}".replace(str(tmp_path), "")
        if order[0] in ("tag", "caption"):
            said = re.sub(r"(?m)(bild\d\.jpg): .*$", r"\1", said)
        assert outcome.code in (0, 1, 2), (order, said)
        if words := _ENGLISH.findall(said):
            left[" ".join(map(str, order))] = words, said
    assert left == {}
    for (source, part), outcome in zip(spoiled.items(), done[len(plain) :], strict=True):
        assert (outcome.code, part in outcome.err) == (2, True), (source, outcome.err)


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


@pytest.mark.parametrize(
    ("number", "variables", "language"),
    [
        (0x0407, {}, "de"),
        (0x0807, {}, "de"),  # of Switzerland
        (0x0409, {}, "en"),
        (0x040C, {}, "en"),
        (0xFFFF, {}, "en"),
        (0x0407, {"LANG": "en_GB.UTF-8"}, "en"),
    ],
)
def test_windows_names_its_language_where_no_variable_does(
    number: int,
    variables: dict[str, str],
    language: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the numbers of its languages; a variable that somebody set counts first."""
    kernel = SimpleNamespace(GetUserDefaultUILanguage=lambda: number)
    monkeypatch.setattr("ctypes.windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
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
