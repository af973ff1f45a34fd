"""``cocadesk browse``: numbers, with the filters that find what is counted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.annotated_library import annotated_library
from tests.support.program import document_of


def ask(base: Path, *arguments: str | os.PathLike[str], code: int = 0) -> dict[str, Any]:
    """Runs ``cocadesk … --json`` here; gives its document."""
    return document_of(base / "library", *arguments, code=code)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with a library that nobody has open."""
    with annotated_library(tmp_path):
        pass
    return tmp_path


def test_lists_folders_and_albums_are_counted(base: Path) -> None:
    """Each filter finds as many as its list says."""
    ask(base, "album", "new", "Sea", base / "photos" / "a.jpg")
    lists = {one["name"]: one for one in ask(base, "browse")["lists"]}
    assert lists["all"]["count"] > 1
    assert lists["videos"] == {"name": "videos", "filter": "kind:video", "count": 0}
    assert ask(base, "browse", "albums")["albums"] == [
        {"name": "Sea", "filter": "album:Sea", "count": 1}
    ]
    (photos,) = ask(base, "browse", "folders")["folders"]
    assert photos["name"] == "photos"
    assert photos["path"] == str(base / "photos")
    assert photos["count"] == lists["all"]["count"]
    assert ask(base, "browse", "people") == {"people": []}
