"""Indexing a video against a plain loop, side by side in one run.

    python tests/bench/bench_video.py CLIPS.tar [--seconds 300] [--model starter]

The video is joined from the clips of a WebDataset shard (``KEY.mp4``), scaled to
1280×720, 24 frames a second, H.264; it is kept in the system's temporary
folder for the next run. The plain loop: cv2.VideoCapture, every frame read, one
a second embedded by torch (fp32) one at a time. Ours: ``cocadesk index`` with
its decoder processes' start, moments, thumbnails and commits. Both have their
model loaded before the clock starts. Exit code 1 where the ratio falls short
of ``--least``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.index import index_steps
from cocadesk.library.library import Library
from cocadesk.model.backend import Backend, open_backend

WIDTH, HEIGHT, FPS = 1280, 720, 24


def clips(shard: Path) -> Iterator[bytes]:
    """The videos in a shard, in its order."""
    with tarfile.open(shard) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".mp4"):
                file = archive.extractfile(member)
                assert file is not None
                yield file.read()


def frames(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """A clip's pictures at ``FPS``, (HEIGHT, WIDTH, 3) uint8, by their times."""
    import io

    import av

    with av.open(io.BytesIO(data)) as clip:
        shown = 0
        for frame in clip.decode(video=0):
            scaled = frame.reformat(WIDTH, HEIGHT, format="rgb24").to_ndarray()
            end = (frame.time or 0.0) + 1 / float(clip.streams.video[0].average_rate or FPS)
            while shown / FPS < end - 1e-6:
                yield scaled
                shown += 1


def make_video(shard: Path, seconds: float, path: Path) -> None:
    """Join the clips; each further round shows them mirrored, so that no shot comes twice."""
    import av

    wanted = round(seconds * FPS)
    partial = path.with_suffix(".part.mp4")
    with av.open(str(partial), "w") as video:
        stream = video.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "22"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        rounds = itertools.chain.from_iterable(
            ((data, number) for data in clips(shard)) for number in range(8)
        )
        pictures = (
            picture[:, ::-1] if number % 2 else picture
            for data, number in rounds
            for picture in frames(data)
        )
        for place, picture in enumerate(itertools.islice(pictures, wanted)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = place, Fraction(1, FPS)
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    partial.replace(path)


class PlainLoop:
    """What a first script would do."""

    def __init__(self, source: str) -> None:
        from cocadesk.model.checkpoints.checkpoint import load_model
        from cocadesk.model.runtime.torch import TorchImageTower
        from cocadesk.model.source import find_checkpoint

        checkpoint = find_checkpoint(source)
        self._size_px = checkpoint.config.image.size_px
        self._tower = TorchImageTower(load_model(checkpoint), "cpu")
        self._tower(np.zeros((1, self._size_px, self._size_px, 3), np.uint8))

    def index(self, video: Path) -> tuple[int, int]:
        """Read every frame, embed one a second; how many of each."""
        import cv2

        capture = cv2.VideoCapture(str(video))
        step = max(1, round(capture.get(cv2.CAP_PROP_FPS)))
        read = embedded = 0
        while True:
            there, picture = capture.read()
            if not there:
                break
            if read % step == 0:
                rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
                square = cv2.resize(rgb, (self._size_px, self._size_px))
                self._tower(square[None])
                embedded += 1
            read += 1
        capture.release()
        return read, embedded


def run_ours(backend: Backend, video: Path, folder: Path) -> tuple[float, int]:
    """Seconds of our index of the video, and the moments that it found."""
    size = backend.info().input_spec.size_px
    backend.embed_images(np.zeros((1, size, size, 3), np.uint8))
    with Library.open(folder) as library:
        start = time.perf_counter()
        for _ in index_steps(library, backend, [os.fsencode(video)]):
            pass
        seconds = time.perf_counter() - start
        if library.counts().videos != 1:
            sys.exit(f"the video was not indexed: {library.media.failures()}")
        return seconds, library.counts().views - 1


def main() -> int:
    """Make the video once, run both, print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--least", type=float, default=2.0)
    options = parser.parse_args()
    kept = Path(tempfile.gettempdir()) / "cocadesk-bench"
    kept.mkdir(exist_ok=True)
    video = kept / f"video-{options.seconds:g}s-{WIDTH}x{HEIGHT}.mp4"
    if not video.exists():
        make_video(options.clips, options.seconds, video)
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, open_backend(options.model) as backend:
        ours_s, moments = run_ours(backend, video, Path(name) / "library")
    loop = PlainLoop(options.model)
    start = time.perf_counter()
    read, embedded = loop.index(video)
    plain_s = time.perf_counter() - start
    ratio = plain_s / ours_s
    result = {
        "video_s": options.seconds,
        "video_bytes": video.stat().st_size,
        "index_s": round(ours_s, 2),
        "moments": moments,
        "plain_s": round(plain_s, 2),
        "plain_frames": read,
        "plain_embedded": embedded,
        "ratio": round(ratio, 2),
        "load_before": round(load_before, 1),
        "load_after": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(result, indent=1))
    return 0 if ratio >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
