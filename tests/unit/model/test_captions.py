"""Captions at the model's door: the best of several, their confidence, the styles of a model."""

from __future__ import annotations

import math
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
from cocadesk.model.network.generation import Generated, generate_candidates
from cocadesk.model.runtime.captions import CaptionWriter
from cocadesk.model.values import STYLES, Confidence, Markers, log_odds
from tests.support.tiny_model import styled_tokenizer, tiny_model, write_tiny_checkpoint

PICTURES = 4
OPTIONS = GenerationOptions(max_tokens=8)


class Writer:
    """A tiny network's captions, with text vectors drawn by their text."""

    def __init__(self) -> None:
        self.model, self.tokenizer = tiny_model(1), styled_tokenizer()
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
        writer = CaptionWriter(self.model, self.tokenizer, self.markers, "cpu", self.embed)
        vectors, tokens = self.pooled
        return [each.text.lower() for each in writer.write((vectors[rows], tokens[rows]), options)]

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
