"""A model that kills its process when it sees a white picture, and an index with it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.protocol.messages import JobReply, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from tests.support.fake_backend import FakeBackend


class DeadlyBackend(FakeBackend):
    """As its base, but a white picture is the process's last."""

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        if any(image.mean() > 240 for image in images_BHWC):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed_images(images_BHWC)


def main(library: Path, folder: Path) -> None:
    """Indexes the folder."""
    with LocalEngine(
        library, access=Access.CREATE, open_model=lambda _source: DeadlyBackend()
    ) as engine:
        job = engine.ask(StartIndex(folders=(WirePath.of(folder),)), JobReply).job
        engine.ask(WatchJob(job_id=job.id), JobReply)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
