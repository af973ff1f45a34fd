"""Made-up rows for the fake engine, the same ones each time; the state around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.fake_engine.jobs import FakeJobs
from cocadesk.fake_engine.pictures import write_scene
from cocadesk.protocol.captions import USUAL_WRITING, CaptionLength, CaptionWriting
from cocadesk.protocol.messages import EventBody
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionStyle,
    FailureValue,
    MediaKind,
    Moment,
    PartValue,
    Row,
    TagValue,
)

SCENES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("a dog running along a beach", ("dog", "beach", "running", "sea")),
    ("two children flying a kite in a field", ("child", "kite", "field", "wind")),
    ("snow on the mountains in the evening", ("snow", "mountain", "evening")),
    ("a red bicycle leaning on a wall", ("bicycle", "wall", "street")),
    ("a plate of food on a wooden table", ("food", "table", "dinner")),
    ("a man playing a guitar on a dark stage", ("man", "guitar", "concert")),
    ("a cat sleeping in the sun", ("cat", "sleeping", "window")),
    ("boats in a harbour at sunset", ("boat", "harbour", "sunset", "sea")),
    ("a woman reading on a bench in a park", ("woman", "reading", "park")),
    ("city lights by night from a bridge", ("city", "night", "bridge")),
    ("a field of yellow flowers under a blue sky", ("flower", "field", "sky")),
    ("an old steam train at a station", ("train", "station", "smoke")),
)
SIZES: tuple[tuple[int, int], ...] = ((4032, 3024), (3024, 4032), (3000, 2000), (1200, 1200))
FOLDERS: tuple[str, ...] = ("Summer 2025", "Wanderungen", "Família", "2024/Konzert")
PLACES: tuple[tuple[str, str, str], ...] = (
    ("Japan", "Kyōto", "Kyōto"),
    ("Italia", "Toscana", "Siena"),
    ("Italia", "Toscana", "Firenze"),
    ("Italia", "Lazio", "Roma"),
    ("", "", ""),
)
PERSONS: tuple[tuple[str, ...], ...] = ((), ("Ida",), ("Ömer", "Ida"), (), (), ("Åsa",), ())
LONG_SIDE_PX = 320
WHEN = "2025-11-24T10:00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMedium:
    """A row, what a machine would say of it, and its moments when a video."""

    row: Row
    number: int
    caption: str
    tags: tuple[TagValue, ...]
    moments: tuple[Moment, ...] = ()
    is_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeContext:
    """The handlers' shared state; ``described`` and ``writings``: media's machine captions."""

    library: Path
    jobs: FakeJobs
    publish: Callable[[EventBody], None]
    media: dict[str, FakeMedium] = field(default_factory=dict)
    described: dict[str, CaptionStyle] = field(default_factory=dict)
    writings: dict[str, CaptionWriting] = field(default_factory=dict)

    def describe(
        self,
        key: str,
        style: CaptionStyle | None = None,
        writing: CaptionWriting = USUAL_WRITING,
    ) -> None:
        """Captions a medium: in this style, or as it is, else in a sentence, so written."""
        known = self.described.get(key)
        if known is None or style not in (None, known):
            self.writings[key] = writing
        self.described[key] = style or known or CaptionStyle.SENTENCE

    def medium(self, key: str) -> FakeMedium:
        """The medium of this key.

        Raises:
            UserError: there is none.
        """
        try:
            return self.media[key]
        except KeyError:
            raise UserError("This photo or video is no longer in the library.") from None


def in_style(caption: str, style: CaptionStyle) -> str:
    """A made-up caption as it reads in another style."""
    if style is CaptionStyle.SHORT:
        return " ".join(caption.split()[1:3])
    return f"{caption}, seen close up" if style is CaptionStyle.ALT_TEXT else caption


def as_written(caption: str, writing: CaptionWriting) -> str:
    """A made-up caption as it reads shorter or longer, and with another beginning."""
    if writing.length is CaptionLength.SHORTER:
        caption = " ".join(caption.split()[:4])
    elif writing.length is CaptionLength.LONGER:
        caption = f"{caption}, with more around it"
    beginning = " ".join(writing.prompt.split())
    return f"{beginning[:1].upper()}{beginning[1:]} {caption}" if beginning else caption


def place_of(number: int) -> tuple[str, str, str]:
    """Country, region and town of the medium of this number, all empty where none is known."""
    return PLACES[number % len(PLACES)]


def persons_of(number: int) -> tuple[str, ...]:
    """The persons that the file of this medium names."""
    return PERSONS[number % len(PERSONS)]


def make_medium(number: int, folder: Path, pictures: Path) -> FakeMedium:
    """The medium of this number; its thumbnail is written under ``pictures``."""
    caption, words = SCENES[number % len(SCENES)]
    width, height = SIZES[(number * 7 + number // 4) % len(SIZES)]
    is_video = number % 17 == 11
    thumbnail = pictures / f"thumb-{number:04d}.png"
    write_picture(thumbnail, number, width, height, LONG_SIDE_PX)
    name = f"{'VID' if is_video else 'IMG'}_{1000 + number}.{'mp4' if is_video else 'jpg'}"
    path = folder / FOLDERS[number % len(FOLDERS)] / name
    row = Row(
        key=f"fake{number:022d}",
        path=WirePath.of(path),
        name=name,
        folder=str(path.parent),
        kind=MediaKind.VIDEO if is_video else MediaKind.PHOTO,
        width=width,
        height=height,
        size_bytes=1_400_000 + 37_000 * number,
        duration_s=14.0 + number if is_video else None,
        taken=f"2025-{1 + number % 12:02d}-{1 + number % 28:02d}T{8 + number % 12:02d}:30:00",
        camera="Example Camera 7" if number % 3 else None,
        thumbnail=WirePath.of(thumbnail),
        parts=_parts(path, number, is_video),
    )
    tags = tuple(TagValue(tag=word, score=0.9 - 0.12 * i) for i, word in enumerate(words))
    moments = (Moment(time_s=6.0, score=0.8), Moment(time_s=14.0, score=0.5)) if is_video else ()
    return FakeMedium(row=row, number=number, caption=caption, tags=tags, moments=moments)


def _parts(path: Path, number: int, is_video: bool) -> tuple[PartValue, ...]:
    """The other files of a medium: a RAW, or the video of a Live Photo, of some photos."""
    if is_video or number % 6 not in (4, 5):
        return ()
    suffix, role = (".cr2", "raw") if number % 6 == 4 else (".mov", "video")
    return (PartValue(path=WirePath.of(path.with_suffix(suffix)), role=role),)


def write_picture(path: Path, number: int, width: int, height: int, long_side_px: int) -> None:
    """Writes the medium's picture, scaled so that its long side has this size."""
    scale = long_side_px / max(width, height)
    write_scene(path, number, max(1, round(width * scale)), max(1, round(height * scale)))


def failure(path: WirePath, reason: str, stage: str) -> FailureValue:
    """A file that could not be read, always at the same time of the same day."""
    return FailureValue(path=path, reason=reason, stage=stage, when=WHEN)
