"""``cocadesk explain`` on files in the library and outside it, and the file that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cocadesk.cli.errors import OK, USER_ERROR
from cocadesk.engine.explaining import SPREAD_HEAT
from tests.support.index_tools import write_photo
from tests.support.program import invoked
from tests.support.tiny_model import write_tiny_checkpoint


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_file_outside_of_any_library_is_explained_by_its_caption_and_by_a_text(
    tmp_path: Path, here: Path
) -> None:
    """Without a text each word; pictures get names of their own, and nothing is overwritten."""
    model = write_tiny_checkpoint(tmp_path / "model", has_styles=True)
    photo = tmp_path / "a.jpg"
    write_photo(photo, 1)
    common = ("--library", tmp_path / "none", "--model", model, "--json")
    caption = invoked("caption", photo, *common).document["results"][0]["caption"]
    words = invoked("explain", photo, *common)
    assert words.code == OK, words.err
    assert words.document["text"] == caption
    assert words.document["maps"]
    whole = invoked("explain", photo, "a brown dog", *common)
    [found] = whole.document["maps"]
    assert found["text"] == "a brown dog"
    assert len(found["grid"]) == len(found["grid"][0])
    hottest = max(map(max, found["grid"]))
    assert found["points_nowhere"] is (hottest < SPREAD_HEAT)
    assert whole.document["seen"] == [0, 0, 1, 1]
    assert sorted(path.name for path in here.iterdir()) == ["a-where.jpg", "a-where2.jpg"]
    with Image.open(here / "a-where2.jpg") as picture:
        assert picture.format == "JPEG"
    assert not (tmp_path / "none").exists()


def test_a_file_that_is_there_is_written_over_only_when_told(tmp_path: Path, here: Path) -> None:
    """One that cannot be made leaves the old one as it was."""
    model = write_tiny_checkpoint(tmp_path / "model")
    photo, out = tmp_path / "a.jpg", here / "own.jpg"
    write_photo(photo, 1)
    out.write_bytes(b"mine")
    common = ("--library", tmp_path / "none", "--model", model, "--out", out)
    refused = invoked("explain", photo, "dog", *common)
    assert refused.code == USER_ERROR
    assert "is there already" in refused.err
    missing = invoked("explain", tmp_path / "b.jpg", "dog", "--overwrite", *common)
    assert missing.code == USER_ERROR
    assert out.read_bytes() == b"mine"
    assert invoked("explain", photo, "dog", "--overwrite", *common).code == OK
    assert out.read_bytes() != b"mine"
    assert [path.name for path in here.iterdir()] == ["own.jpg"]


def test_the_photo_itself_is_never_written_over(tmp_path: Path, here: Path) -> None:
    """Not by another name of it either."""
    model = write_tiny_checkpoint(tmp_path / "model")
    photo = write_photo(tmp_path / "a.jpg", 1)
    before = photo.read_bytes()
    (here / "other.jpg").symlink_to(photo)
    common = ("--library", tmp_path / "none", "--model", model, "--overwrite")
    for out in (photo, here / "other.jpg"):
        refused = invoked("explain", photo, "dog", "--out", out, *common)
        assert refused.code == USER_ERROR
        assert "the photo itself" in refused.err
    assert photo.read_bytes() == before
