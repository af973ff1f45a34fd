"""The odd photos of the shared media go through the whole index."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from cocadesk.library.library import Library
from tests.support.index_tools import CountingBackend, run_index
from tests.support.shared import shared_path

FORMATS = {"JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "HEIC", "AVIF"}


def wanted_sizes(folder: Path, names: Path) -> dict[bytes, tuple[int, int]]:
    """Path and size of each file that must be indexed; ``names`` holds the strange names."""
    with (folder / "photos.csv").open(encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["expect"] == "ok"]
    sizes = {}
    for row in table:
        archive, _, name = row["path"].rpartition("::")
        place = os.fsencode(names if archive else folder)
        path = os.path.join(place, unquote_to_bytes(name) if archive else os.fsencode(name))  # noqa: PTH118
        if row["format"] in FORMATS:
            sizes[path] = (int(row["width"]), int(row["height"]))
    return sizes


@pytest.mark.shared
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name == "nt", reason="Windows can't hold these names")
def test_odd_photos_are_indexed_with_their_size_and_a_second_run_indexes_none(
    tmp_path: Path,
) -> None:
    """Every readable one as the table says; the others are recorded with a reason."""
    folder, names = shared_path("media/photos").resolve(), tmp_path / "names"
    names.mkdir()
    subprocess.run(["tar", "-xf", folder / "names.tar", "-C", names], check=True)
    wanted = wanted_sizes(folder, names)
    with Library.open(tmp_path / "library") as library:
        report = run_index(library, [folder, names], own_pool=True)
        found = {row.path: (row.width, row.height) for row in library.media.iter_rows()}
        assert {path: found.get(path) for path in wanted} == wanted
        assert all(failed.reason.strip() for failed in report.failed)
        counts = library.counts()
        assert report.indexed == counts.media
        # One each; the video in disguise has its whole and one moment.
        assert (counts.videos, counts.views) == (1, counts.photos + 2)
        backend = CountingBackend()
        again = run_index(library, [folder, names], backend=backend, own_pool=True)
        assert (again.indexed, again.moved, backend.embedded) == (0, 0, 0)
        assert again.unchanged == report.indexed
        assert {failed.path for failed in again.failed} == {failed.path for failed in report.failed}
