"""Tags measured: their calibration, what is given, and the page that shows them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.evaluation.runs import Labelled
from cocadesk.evaluation.sheet import Seen, sheet_html, tag_cards
from cocadesk.evaluation.tags import GivenTags, Tagged, calibration_error, evaluate_tags
from tests.support.fake_backend import FakeBackend

TAGGED = Tagged(given=([("dog", 0.9), ("animal", 0.95)], [("sea", 0.5)], []))


def picture(*rgb: int) -> Labelled:
    """A picture of one colour."""
    return Labelled(image_HWC=np.full((8, 8, 3), rgb, np.uint8), label=0, name="p.jpg")


def test_probabilities_that_hold_have_no_calibration_error() -> None:
    """Of ten tags with 70 % seven are right, of ten with 20 % two."""
    likely = np.repeat([0.7, 0.2], 10)
    is_true = np.arange(20) % 10 < np.repeat([7, 2], 10)
    assert calibration_error(likely, is_true) == pytest.approx(0, abs=1e-9)


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    """Against the plain formula, with 0 and 1 in the first and last bin."""
    rng = np.random.default_rng(5)
    likely = np.concatenate([rng.random(200), [0.0, 1.0]])
    is_true = rng.random(202) < likely**2
    slow = 0.0
    for low in range(15):
        inside = [i for i, p in enumerate(likely) if min(int(p * 15), 14) == low]
        if inside:
            gap = np.mean(likely[inside]) - np.mean(is_true[inside])
            slow += abs(gap) * len(inside) / len(likely)
    assert calibration_error(likely, is_true) == pytest.approx(slow)
    assert calibration_error(np.ones(4), np.zeros(4, np.bool_)) == 1
    assert calibration_error(np.zeros(0), np.zeros(0, np.bool_)) == 0


def test_the_figures_of_tags_are_number_promise_and_pictures_without_any() -> None:
    """Each with an interval around it."""
    metrics = TAGGED.metrics()
    assert metrics.tags_per_photo == pytest.approx(1)
    assert metrics.right == pytest.approx(100 * (0.9 + 0.95 + 0.5) / 3)
    assert metrics.untagged == pytest.approx(100 / 3)
    for name, interval in TAGGED.intervals().items():
        assert interval.n == 3
        assert interval.low <= getattr(metrics, name) <= interval.high


def test_pictures_without_a_single_tag_have_figures_too() -> None:
    """Nothing promised, nothing right, and no division by zero."""
    nothing = Tagged(given=([], []))
    assert (nothing.metrics().right, nothing.metrics().untagged) == (0, 100)
    assert nothing.intervals()["right"].high == 0


def test_all_pictures_are_tagged_in_order_from_their_vectors() -> None:
    """A few at a time; none at all is an error of the caller."""

    def tag(vectors: NDArray[np.float32]) -> list[GivenTags]:
        red = FakeBackend().embed_texts(["red"])[0]
        return [[("red", 0.9)] if vector @ red > 0.8 else [] for vector in vectors]

    pictures = [picture(255, 0, 0) if n % 3 else picture(0, 0, 255) for n in range(70)]
    tagged = evaluate_tags(FakeBackend(), pictures, tag)
    assert [bool(tags) for tags in tagged.given] == [n % 3 > 0 for n in range(70)]
    with pytest.raises(ValueError, match="no pictures"):
        evaluate_tags(FakeBackend(), [], tag)


def test_the_page_shows_each_pictures_tags_with_their_probabilities() -> None:
    """In their order; the least sure pictures first, those without tags at the top."""
    seen = Seen(to_jpeg=lambda _image: b"jpeg")
    assert len(list(seen.noted([picture(0, 0, n) for n in range(3)]))) == 3
    cards = tag_cards(seen, TAGGED.given)
    assert cards[0].lines == [("90 %", "dog"), ("95 %", "animal")]
    ordered = sorted(cards, key=lambda card: card.order)
    assert [card.lines[0][1] for card in ordered] == ["no tag", "sea", "dog"]
    assert "<dt>50 %<dd>sea" in sheet_html("Tags", [], cards)
