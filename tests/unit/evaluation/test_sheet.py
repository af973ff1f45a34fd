"""The page to look through: the worst first, texts of people as texts."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.captions import score_captions
from cocadesk.evaluation.retrieval import name_classes, rank
from cocadesk.evaluation.runs import Labelled, Sample, Written
from cocadesk.evaluation.sheet import (
    MOST_CARDS,
    Card,
    Picture,
    Seen,
    caption_cards,
    class_cards,
    ranking_cards,
    sheet_html,
)

GREY = np.full((8, 8, 3), 128, np.uint8)


def to_jpeg(_image_HWC: NDArray[np.uint8]) -> bytes:
    """Bytes that stand for a picture."""
    return b"jpeg"


def seen(*captions: str) -> Seen:
    """Pictures with one caption each, as a run has passed them on."""
    found = Seen(to_jpeg=to_jpeg)
    samples = [Sample(image_HWC=GREY, captions=(c,), name=f"photo {c}") for c in captions]
    assert list(found.noted(samples)) == samples
    return found


def test_nothing_is_kept_where_no_sheet_is_wanted() -> None:
    """The run is the same."""
    found = Seen(to_jpeg=None)
    (sample,) = found.noted([Sample(image_HWC=GREY, captions=("a",))])
    assert sample.captions == ("a",)
    assert found.pictures == []


def test_a_caption_shows_its_place_and_what_came_before_it() -> None:
    """For the picture that was found first there is nothing to show."""
    texts = np.eye(3, dtype=np.float32)
    images = np.asarray([[0.6, 0.8, 0], [1, 0, 0], [0, 0.1, 0.99]], np.float32)
    cards = ranking_cards(seen("dog", "cat", "bus"), rank(images, texts, [0, 1, 2], "abc"))
    assert [card.lines[0] for card in cards] == [
        ("place 2 for", "dog"),
        ("place 3 for", "cat"),
        ("place 1 for", "bus"),
    ]
    assert [name for name, _ in cards[1].others] == ["dog", "bus"]
    assert cards[1].others_title == "before it for “cat”"
    assert (cards[2].others_title, list(cards[2].others)) == ("", [])
    assert sorted(cards, key=lambda card: card.order)[0] is cards[1]


def test_captions_stand_beside_those_of_people_worst_first() -> None:
    """With the score of each."""
    found = seen("a brown dog runs", "two cats sleep on a chair", "a red bus")
    captions = ("a brown dog runs", "a man", "a red bus")
    scores = score_captions(captions, [p.captions for p in found.pictures])
    cards = caption_cards(found, Written(captions=captions, scores=scores))
    page = sheet_html("Captions", [("cider_d", "1.0", "0.5", "1.5")], cards)
    shown = re.findall(r"<dt>the model<dd>([^<]*)", page)
    assert shown[0] == "a man"
    assert "<td>0.5 to 1.5</td>" in page


def test_names_say_the_class_and_what_came_first() -> None:
    """The best names in order."""
    found = Seen(to_jpeg=to_jpeg)
    list(found.noted([Labelled(image_HWC=GREY, label=1, name="rex.jpg")]))
    (card,) = class_cards(
        found, name_classes(np.asarray([[0.9, 0.5, 0.7]], np.float32), [1]), ["cat", "dog", "fox"]
    )
    assert dict(card.lines) == {
        "is": "dog",
        "was named": "cat, fox, dog",
        "its class came at": "3",
    }


def test_texts_of_people_are_never_markup() -> None:
    """Captions, names and titles."""
    evil = "</dd><script>alert(1)</script>\"'&"
    picture = Picture(jpeg=b"x", name=evil, captions=(evil,))
    card = Card(
        picture=picture, order=0, lines=[(evil, evil)], others_title=evil, others=[(evil, picture)]
    )
    page = sheet_html(evil, [(evil, evil, evil, evil)], [card])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10


def test_a_large_set_shows_the_worst_half_and_some_of_the_others() -> None:
    """So that a browser can open the page."""
    picture = Picture(jpeg=b"x", name="one")
    cards = [
        Card(picture=picture, order=n, lines=[("n", f"#{n}#")]) for n in range(2 * MOST_CARDS + 7)
    ]
    page = sheet_html("Many", [], cards)
    shown = [int(n) for n in re.findall(r"#(\d+)#", page)]
    assert len(shown) == len(set(shown)) == MOST_CARDS
    assert shown[: MOST_CARDS // 2] == list(range(MOST_CARDS // 2))
    assert shown == sorted(shown)
    assert shown[-1] > 1.9 * MOST_CARDS
