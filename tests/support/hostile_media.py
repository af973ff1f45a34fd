"""Files that were made to break a decoder, among good ones that must not suffer from them.

``hostile_files`` draws them from a seed: a test takes a few, ``tests/bench`` many. The odd
files of the shared media go through the same index (``odd_photos``, ``odd_videos``).
"""

from __future__ import annotations

import csv
import os
import random
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from PIL import Image

from cocadesk.indexing.types import IndexReport
from cocadesk.library.library import Library
from cocadesk.library.parts import video_part
from tests.support.index_tools import CountingBackend, run_index, video_bytes
from tests.support.photo_files import encode, natural_picture
from tests.support.rare_photos import heic, heic_grid, jxl, psd
from tests.support.raw_files import dng
from tests.support.videos import make_clip_of_colours

BROKE_DOWN = ("broke down", "computed for more than", "was killed")
"""Parts of the reasons of files on which a decoder crashed or hung, or grew too large."""
GOOD = 8
SHARED_FORMATS = {"JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "HEIC", "AVIF", "PSD", "JPEG XL"}


@cache
def whole_files() -> Mapping[str, bytes]:
    """A small file of each format, by its ending."""
    picture = natural_picture(160, 120)
    files = {
        name: encode(picture, kind, **options)
        for name, kind, options in (
            ("jpg", "JPEG", {"quality": 90}),
            ("progressive.jpg", "JPEG", {"progressive": True, "subsampling": 0}),
            ("png", "PNG", {}),
            ("webp", "WEBP", {}),
            ("gif", "GIF", {}),
            ("tif", "TIFF", {"compression": "tiff_lzw"}),
            ("bmp", "BMP", {}),
            ("avif", "AVIF", {}),
        )
    }
    frames = [Image.fromarray(natural_picture(80, 60, seed=seed)) for seed in (1, 2, 3)]
    moving = {
        name: encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=500)
        for name, kind in (("moving.gif", "GIF"), ("moving.webp", "WEBP"), ("moving.png", "PNG"))
    }
    return {
        **files,
        **moving,
        "heic": heic(picture),
        "tiles.heic": heic_grid(picture, 2, 2),
        "psd": psd(picture),
        "psb": psd(picture, bits=16, is_large=True, is_packed=True),
        "jxl": jxl(picture),
        "dng": dng(picture),
        "preview.dng": dng(
            picture, preview=encode(natural_picture(80, 60), "JPEG"), preview_size=(80, 60)
        ),
    }


def whole_videos(folder: Path) -> Iterator[tuple[str, bytes]]:
    """A small video of each container, by its ending."""
    for name in ("mp4", "mkv", "webm", "avi", "ts"):
        path = make_clip_of_colours(folder / f"whole.{name}", seconds_each=0.5)
        yield name, path.read_bytes()
        path.unlink()


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _flip_some(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 3, 30))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(4, min(200, len(data)))] = chance.randrange(256)


def _large_number(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(min(400, len(data) - 4))
    data[place : place + 4] = chance.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x00\x00\xff\xff"))


def _blank(data: bytearray, chance: random.Random) -> None:
    place, length = chance.randrange(len(data)), chance.randrange(1, 2000)
    data[place : place + length] = bytes(len(data[place : place + length]))


def _repeat(data: bytearray, chance: random.Random) -> None:
    place, length = chance.randrange(len(data)), chance.randrange(1, 2000)
    data[place:place] = data[place : place + length] * chance.randint(1, 20)


MUTATIONS: Sequence[Callable[[bytearray, random.Random], None]] = (
    _cut,
    _flip_some,
    _flip_header,
    _large_number,
    _blank,
    _repeat,
)


def hostile_files(folder: Path, seed: int, count: int) -> None:
    """Writes so many damaged files into a folder, every format and kind of damage in turn."""
    chance = random.Random(seed)
    whole = [*whole_files().items(), *whole_videos(folder)]
    for number in range(count):
        name, data = whole[number % len(whole)]
        damaged = bytearray(data)
        MUTATIONS[number // len(whole) % len(MUTATIONS)](damaged, chance)
        (folder / f"hostile {number:05}.{name}").write_bytes(damaged)


def special_files(folder: Path) -> None:
    """Bombs, wrong names, and things in a photo's place that are no files."""
    claims = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + claims))
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + claims + checksum
    for name, data in {
        "empty.jpg": b"",
        "one byte.mp4": b"\0",
        "claims.png": header + bytes(40),
        "page.jpg": b"<html>not a photo</html>",
        "line\nend.jpg": b"\xff\xd8\xff\xe0",
        "zeros.mov": bytes(1 << 16),
        "noise.heic": np.random.default_rng(1).bytes(5_000),
        "script.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "mislabelled.png": whole_files()["jpg"],
    }.items():
        (folder / name).write_bytes(data)
    (folder / "a folder.jpg").mkdir()
    (folder / "itself.jpg").symlink_to(folder / "itself.jpg")
    (folder / "up").symlink_to(folder)
    if os.name != "nt":
        os.mkfifo(folder / "pipe.jpg")


def good_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Photos and videos with nothing wrong, by name their sizes; no two are equal."""
    sizes = {}
    for number in range(GOOD):
        name, size = f"hostile {number:05}x good.jpg", (100 + number, 80)
        (folder / name).write_bytes(encode(natural_picture(*size, seed=number), "JPEG"))
        sizes[name] = size
    (folder / "good.mp4").write_bytes(video_bytes(("red", "blue")))
    return {**sizes, "good.mp4": (64, 48)}


def check_good_ones(library: Library, folder: Path, sizes: Mapping[str, tuple[int, int]]) -> None:
    """All good files are there with their sizes and vectors."""
    place = os.fsencode(folder)
    rows = {os.fsdecode(os.path.relpath(r.path, place)): r for r in library.media.iter_rows()}
    found = {name: (rows[name].width, rows[name].height) for name in sizes if name in rows}
    assert found == sizes
    embedded = {mark.key for mark in library.views.whole_marks(library.model or "")}
    assert {row.key for row in rows.values()} == embedded


def index_twice(library: Library, folders: Sequence[Path]) -> IndexReport:
    """An index by real workers, and a second one that reads and embeds nothing."""
    report = run_index(library, folders, own_pool=True)
    assert all(failed.reason.strip() for failed in report.failed)
    assert report.indexed == library.counts().media
    passing = {failed.path for failed in report.failed if failed.is_passing}
    backend = CountingBackend()
    again = run_index(library, folders, backend=backend, own_pool=bool(passing))
    assert (again.indexed, again.moved, backend.embedded) == (0, 0, 0)
    assert again.unchanged == report.indexed
    assert {failed.path for failed in again.failed} == {failed.path for failed in report.failed}
    return report


def hostile_among_good(base: Path, *, seed: int, count: int) -> int:
    """Damaged files fail with a sentence or are read; none takes another one with it."""
    folder = base / "photos"
    folder.mkdir(parents=True)
    hostile_files(folder, seed, count)
    special_files(folder)
    sizes = good_files(folder)
    with Library.open(base / "library") as library:
        report = index_twice(library, [folder])
        check_good_ones(library, folder, sizes)
    assert not broken_decoders(report)
    return count


def broken_decoders(report: IndexReport) -> list[str]:
    """The files on which a decoder crashed or hung, with the reason."""
    found = [f for f in report.failed if any(part in f.reason for part in BROKE_DOWN)]
    return [f"{os.fsdecode(failed.path)}: {failed.reason}" for failed in found]


def odd_photos(base: Path, folder: Path) -> int:
    """The odd photos of the shared media: the readable ones have the sizes of their table."""
    names = base / "names"
    names.mkdir(parents=True)
    subprocess.run(["tar", "-xf", folder / "names.tar", "-C", names], check=True)
    wanted = _wanted_sizes(folder, names)
    with Library.open(base / "library") as library:
        report = index_twice(library, [folder, names])
        found = {row.path: (row.width, row.height) for row in library.media.iter_rows()}
        assert {path: found.get(path) for path in wanted} == wanted
        _check_views(library)
    return report.indexed + len(report.failed)


def _check_views(library: Library) -> None:
    """One each, and the boxes of long photos; the whole and each moment of what moves."""
    counts = library.counts()
    rows = list(library.media.iter_rows())
    spec = CountingBackend().info().input_spec
    videos = [row.key for row in rows if row.kind == "video"]
    motion_photos = [row.key for row in rows if row.kind != "video" and video_part(row.parts)]
    still = [row for row in rows if row.kind != "video" and not video_part(row.parts)]
    boxes = sum(len(spec.boxes(row.width, row.height)) for row in still)
    moving = library.views.of_keys(library.model or "", [*videos, *motion_photos])
    assert boxes
    assert counts.videos == len(videos) > 5
    assert motion_photos
    assert all(len(moving[key]) > 1 for key in motion_photos)
    assert counts.views == len(still) + boxes + sum(map(len, moving.values()))


def _wanted_sizes(folder: Path, names: Path) -> dict[bytes, tuple[int, int]]:
    """Path and size of each file that must be indexed; ``names`` holds the strange names."""
    with (folder / "photos.csv").open(encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["expect"] == "ok"]
    sizes = {}
    for row in table:
        archive, _, name = row["path"].rpartition("::")
        place = os.fsencode(names if archive else folder)
        path = os.path.join(place, unquote_to_bytes(name) if archive else os.fsencode(name))  # noqa: PTH118
        if row["format"] in SHARED_FORMATS:
            sizes[path] = (int(row["width"]), int(row["height"]))
    return sizes


def odd_videos(base: Path, folder: Path) -> int:
    """The odd videos of the shared media: sizes and durations are those of their table."""
    with (folder / "videos.csv").open(encoding="utf-8") as file:
        table = {row["path"]: row for row in csv.DictReader(file)}
    with Library.open(base / "library") as library:
        report = index_twice(library, [folder])
        found = {Path(os.fsdecode(row.path)).name: row for row in library.media.iter_rows()}
        views = library.views.of_keys(library.model or "", [row.key for row in found.values()])
        for name, wanted in table.items():
            row = found.get(name)
            if wanted["expect"] == "ok":
                assert row is not None, name
                assert (row.width, row.height) == (int(wanted["width"]), int(wanted["height"]))
                assert row.duration_s == pytest.approx(float(wanted["duration_s"]), abs=0.15), name
            elif wanted["expect"] == "fail":
                assert row is None, name
            if row is not None:
                own = views[row.key]
                assert [view.view for view in own] == list(range(len(own)))
                assert len(own) >= (2 if row.kind == "video" else 1)
                assert all(v.time_s is not None for v in own[1:])
        assert report.indexed + len(report.failed) == len(table)
    return len(table)


def odd_files(base: Path, *folders: Path) -> int:
    """Folders of odd files: each is read or has a reason, and breaks no decoder."""
    with Library.open(base / "library") as library:
        report = index_twice(library, folders)
    assert not broken_decoders(report)
    return report.indexed + len(report.failed)
