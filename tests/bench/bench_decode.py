"""Files a second: the decoder pool against a plain loop with Pillow.

    python -m tests.bench.bench_decode FOLDER [--size 256] [--repeat 1]

Both give the same things of every file: the model's input, a thumbnail of
320 pixels, a hash of the bytes and the time of the photo. The pool's workers
are started before the clock, as the program starts them while the model loads.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.scanning import scan
from cocadesk.media.types import DecodedPhoto, DecodeRequest, FoundFile
from cocadesk.picture_input import InputSpec


def plain_loop(paths: list[bytes], size_px: int) -> float:
    """Seconds of the plain way: one file after the other, decoded in full by Pillow."""
    started_s = time.perf_counter()
    for path in paths:
        data = Path(os.fsdecode(path)).read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            opened.getexif().get_ifd(0x8769).get(0x9003)
            image = ImageOps.exif_transpose(opened).convert("RGB")
        np.asarray(image.resize((size_px, size_px), Image.Resampling.BICUBIC))
        image.thumbnail((320, 320))
        image.save(io.BytesIO(), "JPEG", quality=82)
        hashlib.sha1(data).hexdigest()
    return time.perf_counter() - started_s


def pooled(paths: list[bytes], size_px: int, workers: int) -> float:
    """Seconds of the pool for the same files."""
    with DecoderPool(spec=InputSpec(size_px=size_px), workers=workers) as pool:
        list(pool.decode([DecodeRequest(token=0, path=paths[0])]))
        started_s = time.perf_counter()
        requests = (DecodeRequest(token=i, path=path) for i, path in enumerate(paths))
        results = list(pool.decode(requests))
        seconds = time.perf_counter() - started_s
    failed = [result for result in results if not isinstance(result, DecodedPhoto)]
    if failed:
        print(f"{len(failed)} of {len(paths)} failed, e.g. {failed[0].reason}")
    return seconds


def main() -> None:
    """Prints one line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    found = scan([os.fsencode(arguments.folder)])
    paths = [item.path for item in found if isinstance(item, FoundFile)] * arguments.repeat
    plain_s = plain_loop(paths, arguments.size)
    print(f"plain Pillow loop: {len(paths) / plain_s:8.1f} files/s")
    for workers in (1, 2):
        pool_s = pooled(paths, arguments.size, workers)
        rate = len(paths) / pool_s
        print(f"pool, {workers} workers:  {rate:8.1f} files/s = {plain_s / pool_s:.1f}x")


if __name__ == "__main__":
    main()
