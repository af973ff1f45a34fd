"""Captions at the model's door: the best of several, their confidence, the styles of a model."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.model.backend import GenerationOptions, open_backend
from cocadesk.model.confidence import Confidence, log_odds
from cocadesk.model.network.generation import (
    Generated,
    Start,
    decoder_of,
    generate_candidates,
)
from cocadesk.model.runtime import captions
from cocadesk.model.runtime.captions import GOES_ON, CaptionWriter
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import STYLES, Caption, Markers, Opening
from tests.support.tiny_model import styled_tokenizer, tiny_model, write_tiny_checkpoint

PICTURES = 4
OPTIONS = GenerationOptions(max_tokens=8, beams=3, rerank_weight=0.0)


class Writer:
    """A tiny network's captions, with text vectors drawn by their text."""

    def __init__(self, tokenizer: TextTokenizer | None = None) -> None:
        self.model, self.tokenizer = tiny_model(1), tokenizer or styled_tokenizer()
        self.markers = Markers.of(self.tokenizer.id_of)
        images = np.random.default_rng(3).integers(0, 255, (PICTURES, 64, 64, 3), np.uint8)
        with torch.inference_mode():
            pooled = self.model.encode_image(torch.from_numpy(images))
        self.pooled = pooled.vector_BE.numpy(), pooled.tokens_BQD.numpy()
        self.liked = ""
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors by the texts alone; the one that is liked lies at the second picture."""
        self.asked += texts
        return np.stack([self.vector(text) for text in texts])

    def vector(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a text."""
        if text == self.liked:
            return self.pooled[0][1]
        drawn = np.random.default_rng(list(text.encode())).standard_normal(32)
        return np.asarray(drawn / np.linalg.norm(drawn), np.float32)

    def write(self, options: GenerationOptions = OPTIONS, rows: slice = slice(None)) -> list[str]:
        """The captions of these pictures, as the tokenizer spells them."""
        return [each.text.lower() for each in self.captions(options, rows)]

    def captions(
        self, options: GenerationOptions = OPTIONS, rows: slice = slice(None)
    ) -> list[Caption]:
        """The captions of these pictures."""
        writer = CaptionWriter(decoder_of(self.model), self.tokenizer, self.markers, self.embed)
        vectors, tokens = self.pooled
        return writer.write((vectors[rows], tokens[rows]), options)

    def opened(self, picture: int, beginning: str) -> list[str]:
        """The captions of a picture that begin so and go on about that thing."""
        tokens, options = torch.from_numpy(self.pooled[1]), replace(OPTIONS, no_repeat_phrases=True)
        start = Start(picture=picture, ids=tuple(self.tokenizer.encode(beginning, 40)[1:-1]))
        [found] = generate_candidates(self.model, tokens, options, self.markers, [start])
        texts = list(map(self.text, found))
        return [text for text in texts if re.match(f"{beginning}{GOES_ON}", text)]

    def candidates(self) -> list[list[Generated]]:
        """All beams of each picture."""
        tokens = torch.from_numpy(self.pooled[1])
        return generate_candidates(self.model, tokens, OPTIONS, self.markers)

    def text(self, candidate: Generated) -> str:
        """A candidate's text."""
        return self.tokenizer.decode(candidate.ids).strip()


def test_without_a_weight_the_first_beam_is_the_caption_and_no_text_is_embedded() -> None:
    """What a search by likelihood alone gives, at its price."""
    writer = Writer()
    assert writer.write() == [writer.text(found[0]) for found in writer.candidates()]
    assert writer.asked == []


@pytest.mark.parametrize("weight", [0.5, 2.0, 50.0, -2.0])
def test_with_a_weight_the_caption_is_the_one_that_the_formula_picks(weight: float) -> None:
    """Rank + weight * cosine of the picture with each of its own beams."""
    writer = Writer()
    expected = []
    for vector, found in zip(writer.pooled[0], writer.candidates(), strict=True):
        values = [each.rank + weight * writer.vector(writer.text(each)) @ vector for each in found]
        expected.append(writer.text(found[int(np.argmax(values))]))
    assert writer.write(replace(OPTIONS, rerank_weight=weight)) == expected
    if abs(weight) >= 50:
        assert expected != writer.write()


def test_a_pictures_candidates_touch_no_other_picture() -> None:
    """One of the second picture's is now liked above all; the others' captions stay."""
    writer, options = Writer(), replace(OPTIONS, rerank_weight=20.0)
    before = writer.write(options)
    second = [writer.text(each) for each in writer.candidates()[1]]
    others = {
        writer.text(e) for n, found in enumerate(writer.candidates()) if n != 1 for e in found
    }
    writer.liked = next(text for text in second if text != before[1] and text not in others)
    after = writer.write(options)
    assert after[1] == writer.liked
    assert [*after[:1], *after[2:]] == [*before[:1], *before[2:]]
    assert [writer.write(options, slice(n, n + 1))[0] for n in range(PICTURES)] == after


def test_the_cosine_of_a_caption_is_the_pictures_score_with_its_text(tmp_path: Path) -> None:
    """By the same network; it moves the score as the constants say."""
    images = np.random.default_rng(5).integers(0, 255, (3, 64, 64, 3), np.uint8)
    confidence = Confidence(bias=0.5, probability=0.7, cosine=3.0)
    with open_backend(str(write_tiny_checkpoint(tmp_path / "m")), "cpu") as backend:
        plain = backend.caption(images, OPTIONS)
        scored = backend.caption(images, replace(OPTIONS, confidence=confidence))
        cosines = backend.score(images, [caption.text for caption in scored])
    for n, caption in enumerate(scored):
        assert caption.cosine == pytest.approx(cosines[n, n], abs=1e-4)
        odds = 0.5 + 0.7 * log_odds(caption.log_probability) + 3.0 * cosines[n, n]
        assert log_odds(math.log(caption.score)) == pytest.approx(odds, abs=1e-3)
        assert (plain[n].text, plain[n].cosine) == (caption.text, None)
        assert plain[n].score == math.exp(plain[n].log_probability)


def test_a_model_says_its_styles_and_writes_them(tmp_path: Path) -> None:
    """By the markers in its tokenizer; without them there is one style."""
    images = np.random.default_rng(5).integers(0, 255, (2, 64, 64, 3), np.uint8)
    with open_backend(str(write_tiny_checkpoint(tmp_path / "a", has_styles=True)), "cpu") as styled:
        assert styled.info().styles == STYLES
        texts = {
            style: [c.text for c in styled.caption(images, replace(OPTIONS, style=style))]
            for style in STYLES
        }
        assert len({str(found) for found in texts.values()}) > 1
        assert not any("<" in text or "[UNK]" in text for found in texts.values() for text in found)
    with open_backend(str(write_tiny_checkpoint(tmp_path / "b")), "cpu") as plain:
        assert plain.info().styles == ("sentence",)
        assert len(plain.caption(images, replace(OPTIONS, style="sentence"))) == 2
        with pytest.raises(UserError, match="It knows: sentence"):
            plain.caption(images, replace(OPTIONS, style="alt text"))


def test_a_persons_marker_text_is_no_marker() -> None:
    """A caption that holds “<short>” is spelled out."""
    tokenizer = styled_tokenizer()
    markers = Markers.of(tokenizer.id_of)
    assert set(markers.styles) == set(STYLES)
    ids = tokenizer.encode("a <short> dog", 40)
    assert not set(ids) & set(markers.styles.values())
    assert tokenizer.decode(ids[-2:]) == "dog"


@given(
    log_probability=st.floats(-30, 0),
    cosine=st.floats(-1, 1),
    bias=st.floats(-5, 5),
    weight=st.floats(0, 20),
)
def test_confidence_lies_between_0_and_1_and_rises_with_the_cosine(
    log_probability: float, cosine: float, bias: float, weight: float
) -> None:
    """The defaults give the mean probability, as does every choice where no cosine is known."""
    assert Confidence().score(log_probability, cosine) == pytest.approx(math.exp(log_probability))
    chosen = Confidence(bias=bias, probability=0.8, cosine=weight)
    assert chosen.score(log_probability) == math.exp(log_probability)
    low, high = (chosen.score(log_probability, each) for each in (cosine - 0.1, cosine))
    assert 0 <= low <= high <= 1


WORDS = ["dog", "grass", "children", "ball", "cat", "chair", "bridge", "river", "night"]


def opening(name: str, probability: float = 0.7, beginning: str = "") -> Opening:
    """One by this name alone."""
    return Opening(
        beginning=beginning or f"a {name}", names=frozenset({name}), probability=probability
    )


def opened_case() -> tuple[Writer, Opening, str]:
    """A writer that likes a caption of its second picture which an opening gives."""
    writer = Writer(styled_tokenizer(filler="go{}ing"))
    usual = writer.write()
    for word in WORDS:
        texts = [] if word in usual[1].split() else writer.opened(1, f"a {word}")
        if texts and texts[0] not in usual:
            writer.liked = texts[0]
            return writer, opening(word), texts[0]
    raise AssertionError("the network goes on with no opening")


def with_openings(some: Opening, **more: object) -> GenerationOptions:
    """Options with this opening for every picture."""
    return replace(OPTIONS, openings=lambda vectors: [[some]] * len(vectors), **more)  # type: ignore[arg-type]


def test_an_opened_caption_takes_the_place_of_the_usual_one_by_a_clear_margin() -> None:
    """Its cosine is 1 here: below the margin to the usual one's it wins, above it does not."""
    writer, some, text = opened_case()
    usual = writer.write()
    ahead = 1 - float(writer.vector(usual[1]) @ writer.pooled[0][1])
    for margin, expected in ((ahead - 0.01, text), (ahead + 0.01, usual[1])):
        options = with_openings(some, opening_margin=margin, opening_weight=100.0)
        assert writer.write(options)[1] == expected
        assert writer.write(options, slice(1, 2)) == [expected]
    alone = [
        writer.write(options, slice(row, row + 1))[0]
        for row in range(PICTURES)
        for options in [with_openings(some, opening_margin=-2.0)]
    ]
    assert alone == writer.write(with_openings(some, opening_margin=-2.0))


def test_a_thing_of_which_the_usual_caption_speaks_opens_none() -> None:
    """No text is compared, and the caption comes with the same score as without openings."""
    writer = Writer()
    plain = writer.captions(rows=slice(0, 1))
    named = max(plain[0].text.lower().split(), key=len)
    with_it = writer.captions(with_openings(opening(named), opening_margin=-2.0), slice(0, 1))
    assert with_it == plain
    assert writer.asked == []
    nothing = replace(OPTIONS, openings=lambda vectors: [[]] * len(vectors))
    assert writer.captions(nothing) == writer.captions()
    assert writer.asked == []


def test_the_score_of_an_opened_caption_counts_how_likely_the_thing_is() -> None:
    """As one token, in the formula of all captions; it is told without the cosine, as they are."""
    writer, some, text = opened_case()
    scores = []
    for probability in (0.5, 0.9):
        options = with_openings(
            replace(some, probability=probability), opening_margin=0.0, opening_weight=100.0
        )
        caption = writer.captions(options)[1]
        assert (caption.text.lower(), caption.cosine) == (text, None)
        assert caption.score == math.exp(caption.log_probability)
        scores.append(caption.score)
    assert scores[0] < scores[1]


def test_an_opening_longer_than_a_caption_is_left_alone() -> None:
    """The usual captions are written."""
    writer = Writer()
    long = opening("dog", beginning="a dog " * 20)
    assert writer.write(with_openings(long, opening_margin=-2.0)) == writer.write()


@pytest.mark.parametrize(
    ("text", "speaks_of_it"),
    [
        ("a crab on the beach", True),
        ("a crab", True),
        ("a crab is on a rock", True),
        ("a crab sitting on a rock", True),
        ("a crab walks away", True),
        ("a crab, in the sand", True),
        ("a crab boat on the sea", False),
        ("a crabs on the sea", False),
        ("a crab shaped balloon", False),
        ("a crab glass", False),
    ],
)
def test_a_caption_that_goes_on_with_a_noun_speaks_of_another_thing(
    text: str, speaks_of_it: bool
) -> None:
    """A drum player is no drum; so these words are no caption of the tag."""
    assert bool(re.match(f"a crab{GOES_ON}", text)) is speaks_of_it


def test_many_pictures_are_written_in_parts_as_they_would_be_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their keys and values are not all kept at once."""
    writer = Writer()
    together = writer.write()
    asked: list[int] = []

    def counted(*arguments: object, **named: object) -> list[list[Generated]]:
        asked.append(len(arguments[1]))  # type: ignore[arg-type]
        return generate_candidates(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(captions, "generate_candidates", counted)
    tokens = torch.from_numpy(writer.pooled[1])
    each = decoder_of(writer.model).numbers_of_picture(tokens)
    monkeypatch.setattr(captions, "_KEPT_NUMBERS", 3 * each)
    assert writer.write() == together
    assert asked == [3, 1]
    monkeypatch.setattr(captions, "_KEPT_NUMBERS", 1)
    assert writer.write() == together


@pytest.mark.parametrize(("threads", "half"), [(1, 1), (2, 1), (5, 2)])
def test_captions_are_written_in_half_of_the_threads(
    monkeypatch: pytest.MonkeyPatch, threads: int, half: int
) -> None:
    """In float32, where sums depend on the number; afterwards all are there again."""
    writer, before, seen = Writer(), torch.get_num_threads(), list[int]()
    whole = captions.generate_candidates

    def noting(*given: object, **named: object) -> object:
        seen.append(torch.get_num_threads())
        return whole(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(captions, "generate_candidates", noting)
    torch.set_num_threads(threads)
    try:
        assert len(writer.write()) == PICTURES
        with pytest.raises(UserError):
            writer.write(replace(OPTIONS, max_tokens=10_000))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {half}
