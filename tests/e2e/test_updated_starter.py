"""An update of the program brings another starter: what a person sees on the command line."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import document_of, invoked
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.tiny_shards import COLOURS, jpeg


@pytest.fixture
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the starter, in a program that is laid out as a frozen app."""
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "program"), raising=False)
    return write_tiny_checkpoint(tmp_path / "program" / "resources" / "starter", seed=1)


def _used(library: Path) -> dict[str, object]:
    models = document_of(library, "model", "list")["models"]
    (used,) = [entry for entry in models if entry["used"]]
    assert isinstance(used, dict)
    return used


def _of_library(info: dict[str, Any]) -> list[str]:
    """Notices but for the one on models whose probabilities were not measured, as tiny ones."""
    return [said for said in info["notices"] if "measured with the starter" not in said]


def test_a_library_of_the_older_starter_moves_to_the_new_one(tmp_path: Path, starter: Path) -> None:
    """Each command says how far it is; one index ends it, and no caption is lost."""
    library, photos = tmp_path / "library", tmp_path / "photos"
    photos.mkdir()
    for number, (name, rgb) in enumerate(COLOURS.items()):
        (photos / f"{name}.jpg").write_bytes(jpeg(rgb, number))
    count = len(COLOURS)
    assert document_of(library, "index", photos)["indexed"] == count
    document_of(library, "words", "set", photos / "red.jpg", "--caption", "our red boat")
    old = document_of(library, "info")
    assert (old["without_vectors"], _of_library(old)) == (0, [])

    shutil.rmtree(starter)
    write_tiny_checkpoint(starter, seed=2)
    searched = invoked("search", "caption:boat", "--library", library)
    assert searched.code == 0
    assert searched.out.strip().endswith("our red boat")
    assert f"0 of {count}; until then results are incomplete" in searched.err
    assert "cocadesk index" in searched.err
    found = document_of(library, "search", "a red ball")
    assert len(found["notices"]) == 1
    assert [(one["score"], one["by"]) for one in found["results"]] == [(0, ["caption", "name"])]
    info = document_of(library, "info")
    assert info["model"] != old["model"]
    assert (info["without_vectors"], _of_library(info)) == (count, found["notices"])
    used = _used(library)
    assert (used["model"], used["coverage"]) == (info["model"], 0)

    assert document_of(library, "index", photos)["indexed"] == count
    after = document_of(library, "search", "a red ball")
    assert after.keys() == {"results"}
    assert len(after["results"]) == count
    assert "our red boat" in [result["caption"] for result in after["results"]]
    info = document_of(library, "info")
    assert (info["without_vectors"], _of_library(info)) == (0, [])
    used = _used(library)
    assert (used["model"], used["coverage"]) == (info["model"], 1)
    assert f'"model_id": "{info["model"]}"' in (library / "library.json").read_text("utf-8")
