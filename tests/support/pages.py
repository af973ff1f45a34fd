"""Drawn pages: bills of one firm, forms, chats and slides, which differ in their text alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_LETTERS = "etaoinshrdlu"


def _words(rng: np.random.Generator, count: int) -> str:
    letters = ["".join(rng.choice([*_LETTERS], rng.integers(2, 9))) for _ in range(count)]
    return " ".join(letters)


def _write(draw: ImageDraw.ImageDraw, x: int, y: int, text: str, px: int, colour: object) -> None:
    draw.text((x, y), text, font=ImageFont.load_default(size=px), fill=colour)  # type: ignore[arg-type]


def bill(number: int) -> Image.Image:
    """A bill with its own number, date, positions and sum."""
    rng, page = np.random.default_rng(number), Image.new("RGB", (620, 877), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((45, 40, 200, 85), fill=(20, 60, 120))
    _write(draw, 45, 165, "Ms Jane Example, 12 High Street", 15, "black")
    _write(draw, 45, 280, f"Invoice {rng.integers(10_000, 99_999)}", 24, "black")
    _write(draw, 400, 280, f"{rng.integers(1, 28)}.{rng.integers(1, 12)}.2024", 15, "black")
    for line in range(4):
        _write(draw, 45, 340 + 25 * line, f"{line + 1}  {_words(rng, 2)}", 14, "black")
        _write(draw, 475, 340 + 25 * line, f"{rng.integers(10, 999)}.50", 14, "black")
    _write(draw, 475, 460, f"{rng.integers(100, 9999)}.00", 17, "black")
    return page


def form(number: int) -> Image.Image:
    """A form that is filled in otherwise."""
    rng, page = np.random.default_rng(number), Image.new("RGB", (620, 877), (250, 250, 247))
    draw = ImageDraw.Draw(page)
    for line in range(14):
        y = 100 + 50 * line
        _write(draw, 45, y, f"Field {line} of the form", 12, "black")
        draw.rectangle((225, y - 5, 575, y + 25), outline="black")
        _write(draw, 235, y, _words(rng, 3), 15, (20, 20, 120))
    return page


def chat(number: int) -> Image.Image:
    """A chat of others: light on dark."""
    rng, page = np.random.default_rng(number), Image.new("RGB", (540, 960), (24, 24, 28))
    draw = ImageDraw.Draw(page)
    for line in range(36):
        _write(draw, 30, 40 + 25 * line, _words(rng, 9), 13, (220, 220, 220))
    return page


def slide(number: int) -> Image.Image:
    """A slide of one talk."""
    rng, page = np.random.default_rng(number), Image.new("RGB", (800, 450), (20, 60, 110))
    draw = ImageDraw.Draw(page)
    _write(draw, 50, 40, "Quarterly results", 35, "white")
    for line in range(5):
        _write(draw, 70, 130 + 55 * line, _words(rng, 5), 20, "white")
    return page


PAGES: dict[str, Callable[[int], Image.Image]] = {
    "bill": bill,
    "form": form,
    "chat": chat,
    "slide": slide,
}
