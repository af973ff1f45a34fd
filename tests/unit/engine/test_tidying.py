"""Tidying of a library while an engine is open."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from cocadesk.engine.library_care import CareHandler
from cocadesk.library.layout import SNAPSHOT_NAME, bases_in
from cocadesk.library.library import Library, Sizes
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row
from tests.support.waiting import until


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_base_of_searches_is_made_beside_jobs(tmp_path: Path, is_busy: bool) -> None:
    """Some go on for days."""
    with Library.open(tmp_path / "library", sizes=Sizes(memory_rows=10)) as library:
        library.views.create(IMAGE_ID, 2)
        library.set_model(IMAGE_ID)
        rows = [media_row(b"%d" % n) for n in range(20)]
        library.views.commit(IMAGE_ID, [view_row(row, [0, 1]) for row in rows])
        insert(library, *rows)
        jobs = SimpleNamespace(is_busy=lambda: is_busy)
        context = SimpleNamespace(library=library, jobs=lambda: jobs)
        handler = CareHandler(context, quiet_s=0.01)  # type: ignore[arg-type]
        until(lambda: bases_in(library.folder))
        handler.close()
        assert len(bases_in(library.folder)) == 1
        assert (library.folder / SNAPSHOT_NAME).exists()
