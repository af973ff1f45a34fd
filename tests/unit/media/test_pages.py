"""Pages of text compared: a save of one is the same, the next bill of the firm is not."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from cocadesk.media.photo.likeness import likeness
from tests.support.pages import PAGES, bill
from tests.support.scenes import saved, scene, small


@pytest.mark.parametrize("kind", PAGES)
def test_pages_of_one_kind_are_not_the_same(kind: str) -> None:
    """Though all but their text is."""
    pages = [small(PAGES[kind](number)) for number in range(6)]
    assert not any(likeness(one, other).is_same for one, other in combinations(pages, 2))


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_saved_anew_is_the_same(kind: str) -> None:
    """Saved with loss, or a bit darker; whichever comes first."""
    page = PAGES[kind](1)
    for other in (saved(page, 75), ImageEnhance.Brightness(page).enhance(0.94)):
        assert likeness(small(page), small(other)).is_same
        assert likeness(small(other), small(page)).is_same


def test_one_other_digit_makes_another_bill() -> None:
    """All else is equal."""
    first, second = bill(3), bill(3)
    for page, digit in ((first, "1"), (second, "8")):
        font = ImageFont.load_default(size=16)
        ImageDraw.Draw(page).text((475, 600), f"25{digit}.40", font=font, fill="black")
    assert not likeness(small(first), small(second)).is_same


def test_text_is_a_page_and_a_scene_is_none() -> None:
    """Photos are compared as small as before."""
    assert all(small(page(1)).page_HW is not None for page in PAGES.values())
    assert all(small(scene(seed)).page_HW is None for seed in range(4))


def test_pictures_of_one_tone_are_like_none() -> None:
    """A cap before the lens shows nothing that could be the same."""
    black = Image.new("RGB", (640, 480), (3, 3, 3))
    ImageDraw.Draw(black).rectangle((10, 10, 200, 200), fill=(6, 6, 6))
    assert not likeness(small(black), small(saved(black, 60))).is_same
