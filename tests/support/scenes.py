"""Drawn scenes with much to see, and what programs and cameras make of one."""

from __future__ import annotations

import io
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cocadesk.media.photo.likeness import SmallPicture, small_picture
from cocadesk.media.photo.resize import thumbnail_jpeg
from cocadesk.media.source import THUMBNAIL_PX

WHEN = datetime(2024, 5, 17, 14, 3, 20)
DATE_TAKEN, CAMERA = 0x9003, 0x0110


def scene(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A scene of soft shapes and lines, another for each seed."""
    rng = np.random.default_rng(seed)
    soft = rng.integers(20, 235, (4, 5, 3)).astype(np.uint8)
    picture = Image.fromarray(soft).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    width, height = size
    for _ in range(10):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        across, down = rng.uniform(0.03, 0.16, 2) * width
        colour = tuple(int(part) for part in rng.integers(10, 245, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + across, y + down), fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def save(
    picture: Image.Image, path: Path, *, seconds: float | None = None, quality: int = 90
) -> Path:
    """Save a picture by its name's ending; ``seconds`` after ``WHEN`` if a camera took it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if seconds is not None:
        taken = WHEN + timedelta(seconds=seconds)
        exif[CAMERA] = "Example 7"
        exif.get_ifd(0x8769)[DATE_TAKEN] = f"{taken:%Y:%m:%d %H:%M:%S}"
    picture.save(path, quality=quality, exif=exif)
    return path


def saved(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as a JPEG of this quality gives it back."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def small(picture: Image.Image) -> SmallPicture:
    """The picture as its thumbnail is compared."""
    found = small_picture(thumbnail(picture), *picture.size)
    assert found is not None
    return found


def thumbnail(picture: Image.Image) -> bytes:
    """The picture's thumbnail, as the library keeps it."""
    return thumbnail_jpeg(np.asarray(picture.convert("RGB")), THUMBNAIL_PX)


def cropped(picture: Image.Image, share: float = 0.1) -> Image.Image:
    """The picture without this share of its width and height, from the left and the bottom."""
    width, height = picture.size
    return picture.crop((round(width * share), 0, width, round(height * (1 - share))))


def moved(picture: Image.Image, share: float = 0.03) -> Image.Image:
    """The picture as a hand that moves would take it again: of the same size."""
    width, height = picture.size
    return picture.transform(
        picture.size,
        Image.Transform.AFFINE,
        (0.97, 0, share * width, 0, 0.97, share * height / 2),
        Image.Resampling.BICUBIC,
    )


def photos_and_copies(folder: Path) -> Path:
    """A folder of scenes: two exact copies, four of one picture, three of a burst, two others."""
    first = save(scene(1), folder / "twice.jpg", seconds=0)
    shutil.copy(first, folder / "twice (copy).jpg")
    whole = scene(2)
    save(whole, folder / "whole.jpg", seconds=3600, quality=92)
    save(whole.resize((400, 300)), folder / "small.jpg", quality=70)
    save(whole, folder / "other format.png")
    save(cropped(whole), folder / "cropped.jpg", seconds=3600)
    burst = scene(3, (720, 540))
    save(moved(burst, 0.0), folder / "burst-1.jpg", seconds=7200)
    save(moved(burst, 0.02), folder / "burst-2.jpg", seconds=7201)
    save(moved(burst, 0.03), folder / "burst-3.jpg", seconds=7203)
    save(scene(4), folder / "other.jpg", seconds=7202)
    save(scene(5), folder / "another.jpg")
    return folder
