"""What the screenshots show: photos, a video, stars, albums and a lesson of no real person."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from PIL import ExifTags, Image
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QWidget

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cocadesk.protocol.client import EngineClient  # noqa: E402
from cocadesk.protocol.messages import (  # noqa: E402
    AddToAlbum,
    AnnotationsReply,
    GetRows,
    Keys,
    ListNewest,
    NewAlbum,
    Rows,
    SaveSearch,
    SetAnnotations,
)
from tests.support.kinds import NAME, draw_florbit, write_lesson  # noqa: E402
from tests.support.videos import make_video  # noqa: E402

SAMPLES = ROOT / "resources" / "samples" / "photos"
SHOTS = ("forest", "beach", "farm-horse", "city-night", "coffee-cup", "japan-taiko")
SHOT_S = 4.0
VIDEO_PX = (960, 540)
LIMIT_S = 900
ASK_S = 60
OTHER_FLORBITS = 6
MAX_BYTES = 48_000
QUALITIES = (84, 78, 72, 66, 60, 52, 44)
STARS = {
    "farm-cow": 5, "farm-horse": 4, "koala": 4, "giraffes": 5, "forest": 4, "beach": 3,
    "farm-dog": 3,
}  # fmt: skip
FAVOURITES = ("koala", "giraffes", "farm-cow")
ALBUMS = {
    "On the farm": ("farm-cow", "farm-horse", "farm-dog"),
    "By the water": ("beach", "swimming-pool"),
}
FOLDERS = {
    "Farm": {"farm", "hay"},
    "Animals": {"bee", "crab", "giraffes", "kangaroos", "kingfisher", "koala", "lemurs",
                "macaw", "panda"},
    "Travels": {"america", "australia", "beach", "berlin", "china", "cincinnati", "city", "eiffel",
                "gateway", "wall", "igloo", "ireland", "italy", "japan", "machu", "mexico",
                "neuschwanstein", "statue", "wave"},
}  # fmt: skip
DAYS = {
    "Farm": datetime(2025, 6, 7, 10),
    "Animals": datetime(2025, 8, 2, 9),
    "Travels": datetime(2024, 5, 11, 12),
    "At home": datetime(2026, 1, 18, 15),
}
TAGS = {"Ida's farm": ("farm-cow", "farm-horse", "farm-dog")}


def photos() -> Path:
    """The sample photos in three folders, and a video in which some of them are shots."""
    folder = Path(tempfile.gettempdir()) / "Pictures" / "Samples"
    if folder.exists():
        return folder
    for number, photo in enumerate(sorted(SAMPLES.glob("*.jpg"))):
        name = _folder_of(photo.stem)
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        taken = DAYS[name] + timedelta(days=number // 3 * 3, hours=number % 9)
        (place / photo.name).write_bytes(_dated(photo.read_bytes(), taken))
    pictures = [_filling(SAMPLES / f"{name}.jpg") for name in SHOTS]
    make_video(folder / "a-day-out.mp4", pictures, SHOT_S, 12, VIDEO_PX)
    return folder


def _dated(jpeg: bytes, taken: datetime) -> bytes:
    """The very JPEG with a date of its own, which the samples have none of."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{taken:%Y:%m:%d %H:%M:%S}"
    part = exif.tobytes()
    return jpeg[:2] + b"\xff\xe1" + (len(part) + 2).to_bytes(2, "big") + part + jpeg[2:]


def _folder_of(name: str) -> str:
    """The folder of a sample, by the words of its name."""
    words = set(name.split("-"))
    return next((folder for folder, of in FOLDERS.items() if words & of), "At home")


def dress(client: EngineClient) -> None:
    """Stars, favourites, tags, albums and a saved search, as a person would have given them."""
    keys = client.ask(ListNewest(limit=1000), Keys, timeout_s=ASK_S).keys
    rows = client.ask(GetRows(keys=keys), Rows, timeout_s=ASK_S).rows
    key_of = {row.name.rpartition(".")[0]: row.key for row in rows}

    def of(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key_of[name] for name in names if name in key_of)

    for name, rating in STARS.items():
        _tell(client, SetAnnotations(keys=of((name,)), rating=rating))
    _tell(client, SetAnnotations(keys=of(FAVOURITES), favourite=True))
    for tag, names in TAGS.items():
        _tell(client, SetAnnotations(keys=of(names), add_tags=(tag,)))
    for album, names in ALBUMS.items():
        _tell(client, NewAlbum(name=album))
        _tell(client, AddToAlbum(album=album, keys=of(names)))
    _tell(client, SaveSearch(name="Best animals", query="animal rating:>=4"))


def _tell(client: EngineClient, body: SetAnnotations | NewAlbum | AddToAlbum | SaveSearch) -> None:
    client.ask(body, AnnotationsReply, timeout_s=ASK_S)


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
    """What the window shows, as a WebP of at most ``MAX_BYTES`` where a fair quality allows it."""
    pause(600)
    raw = path.with_suffix(".png")
    window.grab().save(str(raw))
    with Image.open(raw) as picture:
        full = picture.convert("RGB")
    raw.unlink()
    for quality in QUALITIES:
        full.save(path, quality=quality, method=6)
        if path.stat().st_size <= MAX_BYTES:
            break
    sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes, quality {quality}\n")
    sys.stdout.flush()


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
