"""A second stand-in model with vectors of its own, and a process that switches to it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.reembed import reembed_steps
from cocadesk.indexing.types import IndexOptions, IndexProgress, ReembedReport
from cocadesk.library.library import Library
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import CountingBackend, InProcessDecoder

OTHER = FakeInfo(
    name="other", model_id="other-000000000000", image_id="other-111111111111", embedding_dim=32
)


SMALL = IndexOptions(embed_batch=2, commit_rows=3, progress_s=0.001)
"""Commits so small that there is something between two of them."""


class OtherBackend(CountingBackend):
    """As the fake, turned round in its space, under another name."""

    def __init__(self, info: FakeInfo = OTHER) -> None:
        super().__init__()
        self._info = info

    def info(self) -> FakeInfo:
        """The other model's names."""
        return self._info

    def _unit(self, colours: NDArray[np.float32], salt: bytes = b"") -> NDArray[np.float32]:
        return np.ascontiguousarray(super()._unit(colours, salt)[..., ::-1])


def switch_model(
    library: Library,
    backend: OtherBackend | None = None,
    *,
    decoder: InProcessDecoder | None = None,
    source: str = "other",
    progress: list[IndexProgress] | None = None,
) -> ReembedReport:
    """Run a switch to its end."""
    steps = reembed_steps(
        library,
        backend or OtherBackend(),
        source=source,
        pool=decoder or InProcessDecoder(),
        options=SMALL,
    )
    while True:
        try:
            step = next(steps)
        except StopIteration as done:
            report = done.value
            assert isinstance(report, ReembedReport)
            return report
        if progress is not None:
            progress.append(step)


def check_filled(library: Library, image_id: str = OTHER.image_id) -> None:
    """Each row has the views of its own picture under the new id, marked in the row."""
    rows = {row.key: row for row in library.media.iter_rows()}
    marks = library.views.marks(image_id)
    assert {mark.key: mark.picture_hash for mark in marks} == {
        k: r.picture_hash for k, r in rows.items()
    }
    assert all(image_id in row.embedded for row in rows.values())


def main(library_folder: str) -> None:
    """Switch in small commits, one line a step, to be killed by the parent."""
    with Library.open(Path(library_folder)) as library:
        steps = reembed_steps(
            library, OtherBackend(), source="other", pool=InProcessDecoder(), options=SMALL
        )
        for step in steps:
            sys.stdout.write(f"{step.stage} {step.done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
