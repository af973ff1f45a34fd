"""Index throughput against a plain loop, side by side in one run.

    python tests/bench/bench_index.py PHOTO_OR_FOLDER_OR_TAR… [--model starter] [--files 2000]

The plain loop: Pillow decodes the whole picture, torch (fp32) embeds one at a
time, thumbnail and EXIF are read, one row is written a photo. Both have their
model loaded before the clock starts; it runs from the first file to the last
commit. Exit code 1 where the ratio falls short of ``--least``.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexReport
from cocadesk.library.library import Library
from cocadesk.media.shards import read_shards
from cocadesk.model.backend import Backend, open_backend

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff", ".bmp", ".gif"}


def crops(photos: Sequence[Path], wanted: int, into: Path) -> list[Path]:
    """``wanted`` different JPEGs of camera size: random crops, at least 2/3 of each side."""
    from PIL import Image, ImageOps

    into.mkdir(parents=True)
    chance = random.Random(0)
    made: list[Path] = []
    per_photo = -(-wanted // len(photos))
    for photo in photos:
        with Image.open(photo) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        for _ in range(min(per_photo, wanted - len(made))):
            width, height = (round(side * chance.uniform(2 / 3, 1)) for side in picture.size)
            left = chance.randint(0, picture.width - width)
            top = chance.randint(0, picture.height - height)
            path = into / f"{len(made):06d}.jpg"
            picture.crop((left, top, left + width, top + height)).save(path, quality=85)
            made.append(path)
    return made


def gather(sources: Sequence[Path], wanted: int, into: Path) -> list[Path]:
    """At least ``wanted`` photos: files as they are, folders walked, shards unpacked."""
    found: list[Path] = []
    for source in sources:
        if source.suffix == ".tar":
            for number, sample in enumerate(read_shards([source])):
                path = into / source.stem / f"{number // 500:03d}" / f"{number:05d}{sample.suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(sample.image)
                found.append(path)
        elif source.is_dir():
            found += sorted(p for p in source.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES)
        else:
            found.append(source)
        if len(found) >= wanted:
            break
    if len(found) < wanted:
        sys.exit(f"only {len(found)} photos of {wanted}: name more files, folders or shards")
    return found if wanted == 1 else found[:wanted]


def link_all(photos: Sequence[Path], into: Path) -> Path:
    """A folder that holds (links to) exactly these photos, so that both read the same."""
    for number, photo in enumerate(photos):
        path = into / f"{number // 500:03d}" / f"{number:06d}{photo.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(photo, path)
        except OSError:
            path.write_bytes(photo.read_bytes())
    return into


class PlainLoop:
    """What a first script would do."""

    def __init__(self, source: str, store: Path) -> None:
        import lancedb
        import pyarrow as pa

        from cocadesk.model.checkpoints.checkpoint import load_model
        from cocadesk.model.runtime.torch import TorchImageTower
        from cocadesk.model.source import find_checkpoint

        checkpoint = find_checkpoint(source)
        self._size_px = checkpoint.config.image.size_px
        self._tower = TorchImageTower(load_model(checkpoint), "cpu")
        vector = pa.list_(pa.float32(), checkpoint.config.embedding_dim)
        schema = pa.schema([("path", pa.string()), ("exif", pa.string()), ("vector", vector)])
        self._thumbnails = store / "thumbnails"
        self._thumbnails.mkdir(parents=True)
        self._table = lancedb.connect(str(store)).create_table("photos", schema=schema)
        self._embed(np.zeros((self._size_px, self._size_px, 3), np.uint8))

    def _embed(self, image_HWC: Any) -> Any:
        return self._tower(image_HWC[None])[0][0]

    def index(self, number: int, path: Path) -> None:
        """Decode, embed, thumbnail, metadata, one row."""
        from PIL import Image, ImageOps

        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            exif = {int(tag): str(value) for tag, value in opened.getexif().items()}
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        square = picture.resize((self._size_px, self._size_px), Image.Resampling.BICUBIC)
        vector = self._embed(np.array(square))
        picture.thumbnail((320, 320))
        picture.save(self._thumbnails / f"{number}.jpg", quality=85)
        row = {
            "path": str(path),
            "exif": json.dumps(exif),
            "vector": vector / np.linalg.norm(vector),
        }
        self._table.add([row])


def files_under(folder: Path) -> Iterator[Path]:
    """All files, in order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def run_plain(source: str, photos: Path, store: Path) -> float:
    """Seconds of the plain loop."""
    loop = PlainLoop(source, store)
    start = time.perf_counter()
    for number, path in enumerate(files_under(photos)):
        loop.index(number, path)
    return time.perf_counter() - start


def run_ours(backend: Backend, photos: Path, folder: Path) -> tuple[float, IndexReport]:
    """Seconds of our index, its decoder processes' start included, and its report."""
    size = backend.info().input_spec.size_px
    backend.embed_images(np.zeros((1, size, size, 3), np.uint8))
    with Library.open(folder) as library:
        start = time.perf_counter()
        steps = index_steps(library, backend, [os.fsencode(photos)])
        for _ in itertools.count():
            try:
                next(steps)
            except StopIteration as done:
                return time.perf_counter() - start, done.value
    raise AssertionError("the index did not end")


def main() -> int:
    """Run both, print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument(
        "--crops", action="store_true", help="make --files different photos by cropping the sources"
    )
    parser.add_argument("--least", type=float, default=4.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.crops:
            sources = gather(options.sources, 1, folder / "unpacked")
            photos = crops(sources, options.files, folder / "crops")
        else:
            photos = gather(options.sources, options.files, folder / "unpacked")
        random.Random(0).shuffle(photos)
        place = link_all(photos, folder / "photos")
        load_before = os.getloadavg()[0]
        with open_backend(options.model) as backend:
            ours_s, report = run_ours(backend, place, folder / "library")
        plain_s = run_plain(options.model, place, folder / "plain")
    ratio = plain_s / ours_s
    result = {
        "files": len(photos),
        "indexed": report.indexed,
        "failed": len(report.failed),
        "index_photos_per_s": round(len(photos) / ours_s, 1),
        "plain_photos_per_s": round(len(photos) / plain_s, 1),
        "ratio": round(ratio, 2),
        "load_before": round(load_before, 1),
        "load_after": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(result, indent=1))
    return 0 if ratio >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
