"""Groups of same pictures over many photos of which the truth is known.

    .venv/bin/python -m tests.bench.same_pictures --quick SHARD…   # 2,000 photos, a minute
    .venv/bin/python -m tests.bench.same_pictures SHARD…           # 100,000 photos, some hours

Real photos from shards (WebDataset). Most stand alone: flips, quarters and turns of them make
so many that are no re-saves of each other, though they often look alike. For some, files are made
that show the same: smaller, saved badly, in another format, cropped by a tenth, lighter. Others
begin a burst: the window of the camera moves or nears a little, an object comes, the light
changes, a second later. Vectors are the starter's. Precision and recall are of pairs of photos
in one group, each with its label; a burst neighbour called the same picture is wrong.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, islice
from pathlib import Path

# As the engine does, before numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image, ImageEnhance

from cocadesk.indexing.grouping import group_steps
from cocadesk.indexing.types import GroupingStage
from cocadesk.library.groups import BURST, SAME
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange, MediaRow, ViewRow, new_key
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.shards import read_shards
from cocadesk.model.backend import Backend, open_backend
from tests.bench.figures import Figure, exit_code, print_table

_BATCH = 32
_TENTH = 0.1
_WHEN = datetime(2024, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A made photo: the original that it shows, and the second in which it was taken.

    Photos of one ``shows`` are the same picture, those of one ``burst`` a burst.
    """

    picture: Image.Image
    shows: int
    burst: int
    taken: datetime | None
    format: str = "JPEG"
    quality: int = 90


def originals(shards: Sequence[Path]) -> Iterator[Image.Image]:
    """The photos of the shards, then their quarters, flipped and turned ones: each another."""
    every = [sample.image for sample in read_shards(shards)]
    for turned in range(8):
        for data in every:
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            yield _other(picture, turned)


def _other(picture: Image.Image, number: int) -> Image.Image:
    """One of the eight pictures made of one: itself, or the like of a quarter of it."""
    if number == 0:
        return picture
    if number == 1:
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if number < 4:
        turn = (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.TRANSPOSE)[number - 2]
        return picture.transpose(turn)
    width, height = picture.size
    x, y = (number % 2) * width // 2, (number // 2 % 2) * height // 2
    quarter = picture.crop((x, y, x + width // 2, y + height // 2))
    return quarter.resize((width, height), Image.Resampling.BICUBIC)


def re_saves(
    picture: Image.Image, rng: np.random.Generator
) -> Iterator[tuple[Image.Image, str, int]]:
    """Pictures that show the same, each with format and quality."""
    half = (max(64, picture.width * 6 // 10), max(64, picture.height * 6 // 10))
    yield picture.resize(half, Image.Resampling.LANCZOS), "JPEG", 80
    yield picture, "JPEG", int(rng.integers(30, 80))
    yield picture, "WEBP", 60
    yield cropped(picture, rng), "JPEG", 85
    yield ImageEnhance.Brightness(picture).enhance(float(rng.uniform(0.92, 1.08))), "JPEG", 85


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture without a tenth of each side, from anywhere."""
    width, height = picture.size
    x, y = (int(rng.integers(0, round(side * _TENTH) + 1)) for side in picture.size)
    return picture.crop((x, y, x + round(width * 0.9), y + round(height * 0.9)))


def moments(
    picture: Image.Image, other: Image.Image, rng: np.random.Generator
) -> Iterator[Image.Image]:
    """A scene as a camera takes it four times: the same size, and never quite the same."""
    yield _window(picture, 0, 0, 1)
    moved = rng.uniform(0.01, 0.04, 2) * rng.choice([-1, 1], 2)
    yield _noisy(_window(picture, *moved, 1), rng)
    nearer = _window(picture, *rng.uniform(-0.01, 0.01, 2), float(rng.uniform(0.96, 0.985)))
    yield _noisy(nearer, rng)
    with_object = _window(picture, *rng.uniform(-0.004, 0.004, 2), 1)
    width, height = with_object.size
    share = float(rng.uniform(0.08, 0.15))
    thing = other.resize((max(8, round(width * share)), max(8, round(height * share))))
    place = int(rng.uniform(0.1, 0.7) * width), int(rng.uniform(0.1, 0.7) * height)
    with_object.paste(thing, place)
    yield _noisy(with_object, rng)


def _window(picture: Image.Image, across: float, down: float, zoom: float) -> Image.Image:
    width, height = picture.size
    side = 0.9 * zoom
    x, y = width * (0.5 - side / 2 + across), height * (0.5 - side / 2 + down)
    box = (x, y, x + width * side, y + height * side)
    size = round(width * 0.9), round(height * 0.9)
    return picture.resize(size, Image.Resampling.BICUBIC, box=box)


def _noisy(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture, np.float32)
    noisy = pixels + rng.normal(0, 3, (*pixels.shape[:2], 1))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def drawn(pictures: Iterator[Image.Image], count: int) -> Iterator[Drawn]:
    """About ``count`` photos: of 20 originals one is re-saved, one is a burst, of which one
    photo is re-saved too; one burst of three lies within one second."""
    rng, number, made = np.random.default_rng(0), 0, 0
    last: Image.Image | None = None
    for picture in pictures:
        if made >= count:
            return
        # Other photos of the same day, minutes apart.
        when = _WHEN + timedelta(minutes=5 * number)
        shows, burst, number = number, number, number + 1
        if shows % 20 == 7 and last is not None:
            one_second = shows % 60 == 7
            for step, moment in enumerate(moments(picture, last, rng)):
                taken = when + timedelta(seconds=0 if one_second else step)
                yield Drawn(picture=moment, shows=number, burst=burst, taken=taken)
                if step == 1:
                    yield Drawn(picture=moment, shows=number, burst=burst, taken=taken, quality=60)
                    made += 1
                number, made = number + 1, made + 1
        else:
            yield Drawn(picture=picture, shows=shows, burst=burst, taken=when)
            made += 1
        if shows % 20 == 13:
            for made_of_it, kind, quality in re_saves(picture, rng):
                taken = when if rng.random() < 0.5 else None
                yield Drawn(
                    picture=made_of_it,
                    shows=shows,
                    burst=burst,
                    taken=taken,
                    format=kind,
                    quality=quality,
                )
                made += 1
        last = picture


def fill(library: Library, backend: Backend, photos: Iterable[Drawn]) -> list[tuple[str, Drawn]]:
    """Put photos into a library as an index would; their keys, and what they show."""
    spec, found = backend.info().input_spec, []
    image_id = backend.info().image_id
    photos = iter(photos)
    library.views.create(image_id, backend.info().embedding_dim)
    library.set_model(image_id)
    while part := list(islice(photos, _BATCH)):
        decoded = [decode_photo(_saved(one), spec) for one in part]
        vectors = backend.embed_images(np.stack([one.input_HWC for one in decoded]))
        rows, views = [], []
        for one, made, vector in zip(part, decoded, vectors, strict=True):
            key = new_key()
            library.thumbnails.write(made.picture_hash, made.thumbnail_jpeg)
            rows.append(
                MediaRow(
                    key=key,
                    root=b"/p",
                    path=b"/p/" + key.encode(),
                    size_bytes=1,
                    mtime_ns=0,
                    file_hash=key,
                    picture_hash=made.picture_hash,
                    width=one.picture.width,
                    height=one.picture.height,
                    taken_local=one.taken,
                    embedded=(image_id,),
                    camera="Example 7" if one.taken else None,
                )
            )
            views.append(
                ViewRow(
                    key=key,
                    view=0,
                    picture_hash=made.picture_hash,
                    vector=vector,
                    root=b"/p",
                    folder_text="/p/",
                )
            )
            found.append(
                (key, Drawn(picture=_NOTHING, shows=one.shows, burst=one.burst, taken=None))
            )
        library.views.commit(image_id, views)
        library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
    return found


_NOTHING = Image.new("RGB", (1, 1))


def _saved(one: Drawn) -> bytes:
    buffer = io.BytesIO()
    one.picture.save(buffer, one.format, quality=one.quality)
    return buffer.getvalue()


def pairs_of(groups: dict[object, list[str]]) -> set[tuple[str, str]]:
    """All pairs of keys in one group."""
    return {(min(pair), max(pair)) for own in groups.values() for pair in combinations(own, 2)}


def measured(library: Library, image_id: str, truth: Sequence[tuple[str, Drawn]]) -> list[Figure]:
    """Precision and recall of the labels, and what the job took."""
    took = dict.fromkeys(GroupingStage, 0.0)
    began = last = time.perf_counter()
    stage = GroupingStage.READ
    steps = group_steps(library, image_id)
    while True:
        try:
            progress = next(steps)
        except StopIteration:
            break
        now = time.perf_counter()
        took[stage] += now - last
        stage, last = progress.stage, now
    whole_s = time.perf_counter() - began
    groups = library.results.groups.current()
    keys = [bytes(key).decode() for key in groups.keys]
    found: list[set[tuple[str, str]]] = []
    for level in (SAME, BURST):
        own: dict[object, list[str]] = {}
        for key, first in zip(keys, groups.firsts[level].tolist(), strict=True):
            own.setdefault(first, []).append(key)
        found.append(pairs_of(own))
    right: list[set[tuple[str, str]]] = []
    for name in ("shows", "burst"):
        own = {}
        for key, one in truth:
            own.setdefault(getattr(one, name), []).append(key)
        right.append(pairs_of(own))
    # Each pair by its closest label.
    labelled = {(pair, SAME) for pair in found[0]} | {(pair, BURST) for pair in found[1] - found[0]}
    true = {(pair, SAME) for pair in right[0]} | {(pair, BURST) for pair in right[1] - right[0]}
    hit = labelled & true
    same = {pair for pair, level in hit if level == SAME}
    burst = len(hit) - len(same)
    return [
        Figure(name="same pictures: photos", value=len(truth)),
        Figure(
            name="same pictures: precision of pairs, labels counted",
            is_most=False,
            value=len(hit) / max(1, len(labelled)),
            bar=0.98,
            aim=0.995,
        ),
        Figure(
            name="same pictures: recall of pairs, labels counted",
            is_most=False,
            value=len(hit) / max(1, len(true)),
            bar=0.9,
            aim=0.97,
        ),
        Figure(name="precision of `same` alone", value=len(same) / max(1, len(found[0]))),
        Figure(name="recall of `same` alone", value=len(same) / max(1, len(right[0]))),
        Figure(name="recall of `burst` alone", value=burst / max(1, len(right[1] - right[0]))),
        Figure(name="same pictures: tiny prints", value=took[GroupingStage.READ], unit="s"),
        Figure(name="same pictures: candidates", value=took[GroupingStage.SEARCH], unit="s"),
        Figure(name="same pictures: comparing", value=took[GroupingStage.COMPARE], unit="s"),
        Figure(name="same pictures: the whole job", value=whole_s, unit="s"),
    ]


def same_picture_figures(shards: Sequence[Path], count: int, folder: Path) -> list[Figure]:
    """The figures over about ``count`` photos; ``folder`` holds the library meanwhile."""
    backend = open_backend("starter")
    try:
        with Library.open(folder / "same") as library:
            truth = fill(library, backend, drawn(originals(shards), count))
            return measured(library, backend.info().image_id, truth)
    finally:
        backend.close()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--photos", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cocadesk-same-") as folder:
        count = 2_000 if options.quick else options.photos
        figures = same_picture_figures(options.shards, count, Path(folder))
    print_table(figures)
    return exit_code(figures)


if __name__ == "__main__":
    sys.exit(main())
