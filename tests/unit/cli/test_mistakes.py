"""Mistakes of the person at the keyboard, through the real command line in this process."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from cocadesk.cli.app import app


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        app(list(arguments), prog_name="cocadesk")
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("search", "  "), "There is nothing to search for."),
        (("info",), "There is no library in"),
        (("index", "/nothere"), "There is no folder /nothere."),
        (("tag", "/nothere.jpg"), "/nothere.jpg cannot be read."),
        (("caption", "/nothere.jpg"), "/nothere.jpg cannot be read."),
        (("tag", "/dev/null", "--labels", "/nothere.txt"), "cannot be read from /nothere.txt."),
        (("train", "/nothere.toml"), "There is no configuration file /nothere.toml."),
        (("evaluate", "retrieval", "/nothere.tar"), "There is no shard in /nothere.tar."),
        (("evaluate", "captions", "/nothere.tar"), "There is no shard in /nothere.tar."),
        (("evaluate", "zeroshot", "/nothere"), "/nothere cannot be read."),
        (("evaluate", "tags", "/nothere"), "/nothere cannot be read."),
        (("search", "dog", "--limit", "0"), "--limit"),
        (("index",), "FOLDER"),
        (("tag",), "PATH"),
        (("evaluate",), ""),
        (("frobnicate",), "frobnicate"),
        (("search", "dog", "--frobnicate"), "--frobnicate"),
    ],
)
def test_a_mistake_is_a_sentence_and_code_2(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is wrong stands on stderr; nothing is made on disk."""
    code = _run("--library", str(tmp_path / "none"), *arguments)
    captured = capfd.readouterr()
    assert code == 2
    assert sentence in captured.err
    assert not (tmp_path / "none").exists()


def test_why_a_file_cannot_be_read_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the system's words, whose language is not ours to choose."""
    missing = tmp_path / "nothere.txt"
    assert _run("tag", "/dev/null", "--labels", str(missing)) == 2
    assert f"{os.strerror(errno.ENOENT)}." in capfd.readouterr().err


def test_with_json_a_mistake_is_also_a_document(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Programs that call us find the sentences where they look."""
    assert _run("info", "--json", "--library", str(tmp_path / "none")) == 2
    error = json.loads(capfd.readouterr().out)["error"]
    assert error["what"].startswith("There is no library in")


def test_a_config_file_that_is_a_folder_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The trainer is not even started."""
    assert _run("train", str(tmp_path)) == 2
    assert "no configuration file" in capfd.readouterr().err


def test_the_version_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """One line, code 0."""
    assert _run("--version") == 0
    assert capfd.readouterr().out.startswith("cocadesk ")
