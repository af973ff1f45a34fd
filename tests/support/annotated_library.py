"""A small real library of photos with machine captions, for tests of annotations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cocadesk.annotations.human import HumanAnnotations
from cocadesk.annotations.sidecar_job import WriteReport, write_steps
from cocadesk.library.library import Library
from cocadesk.library.rows import FailureRow, MediaRow, new_key
from cocadesk.search.matching import keys_in_scope
from tests.support.annotation_walk import drain
from tests.support.index_tools import run_index, write_photo

MODEL = "fake-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedCase:
    """An open library, its human annotations, and the folder of its photos."""

    library: Library
    annotations: HumanAnnotations
    photos: Path

    def key(self, name: str) -> str:
        """The key of a photo by its file's name."""
        return self.row(name).key

    def row(self, name: str) -> MediaRow:
        """The row of a photo by its file's name."""
        row = self.library.media.row_by_path(os.fsencode(self.photos / name))
        assert row is not None
        return row

    def keys(self) -> list[str]:
        """All keys by path."""
        return keys_in_scope(self.library, (), ())

    def rows(self) -> list[MediaRow]:
        """All rows by path."""
        return self.library.media.rows(self.keys())

    def machine_captions(self) -> None:
        """Gives each photo a machine's caption: "a machine's NAME"."""
        texts = {row.key: f"a machine's {Path(os.fsdecode(row.path)).stem}" for row in self.rows()}
        self.library.media.set_captions(texts, MODEL)

    def write(self, *keys: str, overwrite: bool = False, batch: str | None = None) -> WriteReport:
        """Writes captions to the end."""
        report = drain(
            write_steps(
                self.library,
                self.annotations,
                keys or self.keys(),
                batch=batch or new_key(),
                overwrite=overwrite,
            )
        )
        assert isinstance(report, WriteReport)
        return report

    def texts(self) -> dict[str, str]:
        """Every file beside the photos that is not a photo, by name."""
        found = (path for path in self.photos.rglob("*") if path.is_file())
        return {p.name: p.read_text("utf-8") for p in found if p.suffix not in (".jpg", ".png")}


def record_deadly(library: Library, row: MediaRow, stage: str) -> None:
    """Notes that the engine has ended over this file."""
    failure = FailureRow(
        path=row.path,
        root=row.root,
        reason="CocaDesk ended over it.",
        stage=stage,
        when=row.indexed_utc,
        size_bytes=row.size_bytes,
        mtime_ns=row.mtime_ns,
    )
    library.media.record_failures([failure])


@contextmanager
def annotated_library(base: Path, *names: str) -> Iterator[AnnotatedCase]:
    """A library of photos of these names (three plain ones by default)."""
    photos = base / "photos"
    for number, name in enumerate(names or ("a.jpg", "b.jpg", "c.jpg")):
        write_photo(photos / name, number)
    with reopened(base) as case:
        run_index(case.library, [photos])
        yield case


@contextmanager
def reopened(base: Path) -> Iterator[AnnotatedCase]:
    """The same library after a restart."""
    with Library.open(base / "library") as library:
        yield AnnotatedCase(
            library=library, annotations=HumanAnnotations(library), photos=base / "photos"
        )
