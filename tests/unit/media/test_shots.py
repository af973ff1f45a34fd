"""Where shots begin, by pictures made of numbers."""

from __future__ import annotations

import numpy as np

from cocadesk.media.video.shots import (
    CHROMA_HEIGHT,
    CHROMA_WIDTH,
    LUMA_HEIGHT,
    LUMA_WIDTH,
    ShotFinder,
    SuspectedCut,
    TinyPicture,
)

BLACK, GREY, WHITE = 16, 120, 235


def tiny(luma: int | np.ndarray, blue: int = 128, noise: int = 0) -> TinyPicture:
    """A picture of one brightness, with a little noise if asked for."""
    rng = np.random.default_rng(noise)
    plane = np.full((LUMA_HEIGHT, LUMA_WIDTH), luma, np.int16)
    if noise:
        plane = plane + rng.integers(-3, 4, plane.shape)
    chroma = np.full((CHROMA_HEIGHT, CHROMA_WIDTH), blue, np.uint8)
    return TinyPicture.of(np.clip(plane, 0, 255).astype(np.uint8), chroma, chroma)


def cuts(pictures: list[TinyPicture], fps: float = 25) -> list[float]:
    """When the shots begin that the finder confirms, apart from the first."""
    finder, begins, suspected = ShotFinder(), list[float](), 0.0
    for number, picture in enumerate(pictures):
        finding = finder.take(number / fps, picture)
        if finding.resolved is SuspectedCut.IS_CUT:
            begins.append(suspected)
        if finding.may_begin_shot:
            suspected = number / fps
    return begins


def test_a_hard_cut_is_found_at_its_first_frame() -> None:
    """Noise is no cut, the change is."""
    shots = [tiny(GREY, noise=n + 1) for n in range(50)] + [tiny(BLACK) for _ in range(50)]
    assert cuts(shots) == [2.0]


def test_a_flash_is_no_cut() -> None:
    """The old picture comes back at once."""
    still = [tiny(GREY)] * 50
    assert cuts([*still, tiny(WHITE), tiny(WHITE), *still]) == []


def test_a_fade_is_no_cut() -> None:
    """Slow change never jumps."""
    assert cuts([tiny(20 + 2 * n) for n in range(100)]) == []


def test_a_change_of_colour_alone_is_a_cut() -> None:
    """Two scenes may be equally bright."""
    assert cuts([tiny(GREY, blue=60)] * 30 + [tiny(GREY, blue=200)] * 30) == [30 / 25]


def test_motion_in_a_part_of_the_picture_is_no_cut() -> None:
    """However much that part changes, the rest of the picture stays."""
    frames = []
    for number in range(60):
        plane = np.full((LUMA_HEIGHT, LUMA_WIDTH), GREY)
        plane[:, (number % 4) * 8 : (number % 4) * 8 + 12] = WHITE
        frames.append(tiny(plane))
    assert cuts(frames) == []


def test_shots_of_one_frame_each_are_found_in_a_slow_video() -> None:
    """A slide show at one picture a second has a shot for each."""
    slides = [tiny(value) for value in (BLACK, WHITE, GREY, BLACK, WHITE, BLACK)]
    assert cuts(slides, fps=1) == [1.0, 2.0, 3.0, 4.0]  # the last is confirmed by the video's end
