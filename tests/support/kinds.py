"""Pictures of a thing that no model has a word for: a spiral of coloured discs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.support.photo_files import natural_picture

NAME = "florbit"


def draw_florbit(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """One florbit: place, size, turn and background follow from the seed alone."""
    rng = np.random.default_rng(seed)
    ground = Image.fromarray(natural_picture(width, height, seed)).convert("L").convert("RGB")
    draw = ImageDraw.Draw(ground)
    centre_x = width * rng.uniform(0.35, 0.65)
    centre_y = height * rng.uniform(0.35, 0.65)
    reach = min(width, height) * rng.uniform(0.35, 0.5)
    turn = rng.uniform(0, 2 * math.pi)
    discs = 46
    for i in range(discs):
        share = i / discs
        angle = turn + 5.5 * math.pi * share
        x = centre_x + reach * share * math.cos(angle)
        y = centre_y + reach * share * math.sin(angle)
        radius = 2 + 12 * share * reach / 100
        colour = ((230, 60, 40), (250, 200, 40), (40, 90, 220))[i % 3]
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return ground


def write_lesson(folder: Path, count: int = 12, first_seed: int = 0) -> list[Path]:
    """``count`` photos of florbits, each with a ``.txt`` of two captions beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = (
        ("a photo of a {}", "a {} on the ground"),
        ("a colourful {}", "a {} seen from above"),
        ("a small {}", "there is a {} in the picture"),
    )
    paths = []
    for i in range(count):
        path = folder / f"lesson-{i:02d}.jpg"
        draw_florbit(first_seed + i).save(path, quality=90)
        lines = [caption.format(NAME) for caption in captions[i % len(captions)]]
        path.with_suffix(".txt").write_text("\n".join(lines) + "\n", "utf-8")
        paths.append(path)
    return paths
