"""The odd videos of the shared media go through the whole index."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from cocadesk.library.library import Library
from tests.support.index_tools import CountingBackend, run_index
from tests.support.shared import shared_path


@pytest.mark.shared
@pytest.mark.timeout(600)
def test_odd_videos_are_indexed_as_their_table_says_and_a_second_run_indexes_none(
    tmp_path: Path,
) -> None:
    """No crash, no hang; what can't be read has a reason; sizes and durations are right."""
    folder = shared_path("media/videos")
    with (folder / "videos.csv").open(encoding="utf-8") as file:
        table = {row["path"]: row for row in csv.DictReader(file)}
    with Library.open(tmp_path / "library") as library:
        report = run_index(library, [folder], own_pool=True)
        found = {Path(os.fsdecode(row.path)).name: row for row in library.media.iter_rows()}
        views = library.views.of_keys(library.model or "", [row.key for row in found.values()])
        for name, wanted in table.items():
            row = found.get(name)
            if wanted["expect"] == "ok":
                assert row is not None, name
                assert (row.width, row.height) == (int(wanted["width"]), int(wanted["height"]))
                assert row.duration_s == pytest.approx(float(wanted["duration_s"]), abs=0.15), name
            elif wanted["expect"] == "fail":
                assert row is None, name
            if row is not None:
                own = views[row.key]
                assert [view.view for view in own] == list(range(len(own)))
                assert len(own) >= (2 if row.kind == "video" else 1)
                assert all(v.time_s is not None for v in own[1:])
        assert all(failed.reason.strip() for failed in report.failed)
        assert report.indexed + len(report.failed) == len(table)
        backend = CountingBackend()
        again = run_index(library, [folder], backend=backend, own_pool=True)
        assert (again.indexed, again.moved, backend.embedded) == (0, 0, 0)
        assert again.unchanged == report.indexed
        assert len(again.failed) == len(report.failed)
