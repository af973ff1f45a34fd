"""A process that indexes FOLDER into LIBRARY and says each step, to be killed by its parent.

With ``opening`` its model never gets as far as to embed anything.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from tests.support.index_tools import CountingBackend, InProcessDecoder


class OpeningBackend(CountingBackend):
    """A model that is being opened for ever."""

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Waits."""
        threading.Event().wait()
        return super().embed_images(images_BHWC)


def main(library_folder: str, photos: str, model: str = "") -> None:
    """Index in small commits, one line a step: its stage, files done and commits."""
    backend = OpeningBackend() if model == "opening" else CountingBackend()
    options = IndexOptions(embed_batch=2, commit_rows=3, progress_s=0.001)
    with Library.open(Path(library_folder)) as library:
        roots = [os.fsencode(photos)]
        steps = index_steps(library, backend, roots, pool=InProcessDecoder(), options=options)
        for step in steps:
            sys.stdout.write(f"{step.stage} {step.done} {step.commits}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
