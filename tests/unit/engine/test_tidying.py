"""Tidying of a library while an engine is open."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from cocadesk.engine.library_care import CareHandler
from cocadesk.library.layout import SNAPSHOT_NAME, bases_in
from cocadesk.library.library import Library, Sizes
from cocadesk.protocol.values import JobKind, JobState, JobValue
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
        jobs = SimpleNamespace(is_busy=lambda *, of_library: is_busy, all=tuple)
        context = SimpleNamespace(library=library, jobs=lambda: jobs)
        handler = CareHandler(context, quiet_s=0.01)  # type: ignore[arg-type]
        until(lambda: bases_in(library.folder))
        handler.close()
        assert len(bases_in(library.folder)) == 1
        assert (library.folder / SNAPSHOT_NAME).exists()


@pytest.mark.parametrize(
    ("jobs", "is_queued"),
    [
        ((), False),
        ((("index", "done", "2"),), True),
        ((("index", "failed", "2"),), False),
        ((("group", "done", "1"), ("index", "done", "2")), True),
        ((("group", "done", "3"), ("index", "done", "2")), False),
        ((("group", "cancelled", "3"), ("index", "done", "2")), False),
        ((("group", "running", ""), ("switch", "done", "2")), False),
    ],
)
def test_what_an_index_brought_is_compared_in_the_idle(
    tmp_path: Path, jobs: tuple[tuple[str, str, str], ...], is_queued: bool
) -> None:
    """Once: not after a comparison that came later, even one that a person stopped."""
    values = tuple(
        JobValue(id=str(n), kind=JobKind(kind), title="", state=JobState(state), finished=finished)
        for n, (kind, state, finished) in enumerate(jobs)
    )
    added: list[tuple[JobKind, bool]] = []
    looks: list[None] = []

    def add(kind: JobKind, title: str, spec: str, *, is_background: bool) -> None:
        added.append((kind, is_background))

    def all_jobs() -> tuple[JobValue, ...]:
        looks.append(None)
        return values

    with Library.open(tmp_path / "library") as library:
        insert(library, media_row(b"a"))
        scheduler = SimpleNamespace(is_busy=lambda *, of_library: False, all=all_jobs, add=add)
        context = SimpleNamespace(library=library, jobs=lambda: scheduler)
        handler = CareHandler(context, quiet_s=0.01)  # type: ignore[arg-type]
        until(lambda: looks)
        handler.close()
    assert added == ([(JobKind.GROUP, True)] if is_queued else [])
