"""What the screenshots show: photos, a video and a lesson, in folders that name no computer."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QWidget

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.kinds import NAME, draw_florbit, write_lesson  # noqa: E402
from tests.support.videos import make_video  # noqa: E402

SAMPLES = ROOT / "resources" / "samples" / "photos"
SHOTS = ("forest", "beach", "farm-horse", "city-night", "coffee-cup", "japan-taiko")
SHOT_S = 4.0
VIDEO_PX = (960, 540)
LIMIT_S = 900
MAX_BYTES = 400_000
OTHER_FLORBITS = 6


def photos() -> Path:
    """The sample photos, and a video in which some of them are shots."""
    folder = Path(tempfile.gettempdir()) / "Pictures" / "Samples"
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    video = folder / "a-day-out.mp4"
    if not video.exists():
        pictures = [_filling(SAMPLES / f"{name}.jpg") for name in SHOTS]
        make_video(video, pictures, SHOT_S, 12, VIDEO_PX)
    return folder


def lesson() -> Path:
    """A dozen photos of a thing that has no word, with captions that name it."""
    folder = Path(tempfile.gettempdir()) / "Pictures" / f"{NAME.capitalize()}s"
    if not folder.exists():
        write_lesson(folder)
    return folder


def more_of_the_kind() -> Path:
    """Photos of the same thing that nobody has named, to be found in the end."""
    folder = Path(tempfile.gettempdir()) / "Pictures" / "New"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(OTHER_FLORBITS):
        draw_florbit(500 + number).save(folder / f"IMG_{4100 + number}.jpg", quality=92)
    return folder


def save(window: QWidget, path: Path) -> None:
    """What the window shows, in as many colours as fit into the limit."""
    pause(600)
    window.grab().save(str(path))
    with Image.open(path) as picture:
        full = picture.convert("RGB")
    for colours in (256, 192, 128, 64):
        palette = full.quantize(colours, kmeans=3)
        full.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            break


def wait(is_so: Callable[[], bool]) -> None:
    """Lets the window work until it is so."""
    for _ in range(LIMIT_S * 10):
        if is_so():
            return
        pause(100)
    raise SystemExit("the window did not get there in time")


def pause(milliseconds: int) -> None:
    """Lets the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _filling(path: Path) -> Image.Image:
    """The middle of a photo at the video's shape."""
    width, height = VIDEO_PX
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    scale = max(width / photo.width, height / photo.height)
    size = (round(photo.width * scale), round(photo.height * scale))
    larger = photo.resize(size, Image.Resampling.LANCZOS)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return larger.crop((left, top, left + width, top + height))
