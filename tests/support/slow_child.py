"""A process that indexes a folder, or switches the model, at the speed of a real model.

Each line says how many files are decoded, and how many of them are embedded or committed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.reembed import reembed_steps
from cocadesk.library.library import Library
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import InProcessDecoder
from tests.support.other_model import OTHER, OtherBackend


class SlowBackend(OtherBackend):
    """Takes ``picture_s`` seconds for each picture."""

    def __init__(self, info: FakeInfo, picture_s: float) -> None:
        super().__init__(info)
        self._picture_s = picture_s

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the fake, later."""
        time.sleep(self._picture_s * len(images_BHWC))
        return super().embed_images(images_BHWC)


def main(library_folder: str, photos: str, picture_s: str, work: str) -> None:
    """Do the ``work``, index or switch, in the batches and commits that users have."""
    decoder = InProcessDecoder()
    backend = SlowBackend(FakeInfo() if work == "index" else OTHER, float(picture_s))
    with Library.open(Path(library_folder)) as library:
        steps = (
            index_steps(library, backend, [os.fsencode(photos)], pool=decoder)
            if work == "index"
            else reembed_steps(library, backend, source="other", pool=decoder)
        )
        for step in steps:
            sys.stdout.write(f"{step.stage} {step.done} {len(decoder.decoded)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
