"""Captions: the cache changes nothing, beams search, options are checked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import generate
from cocadesk.model.values import GenerationOptions
from tests.support.released_model import released_model
from tests.support.tiny_model import tiny_model


def _pooled(model: CoCa, count: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 255, (count, 64, 64, 3), dtype=torch.uint8, generator=generator)
    return model.encode_image(images).tokens_BQD.detach()


def _slow_greedy(model: CoCa, pooled_1QD: torch.Tensor, options: GenerationOptions) -> list[int]:
    """No cache: the whole prefix again at every step."""
    markers = model.config.text
    ids = [markers.begin_id]
    for position in range(options.max_tokens):
        tokens = torch.tensor([ids])
        text, _ = model.unimodal(tokens, torch.ones_like(tokens, dtype=torch.bool))
        logits = model.multimodal.output(model.multimodal(text, pooled_1QD))[0, -1]
        logits[[markers.pad_id, markers.begin_id]] = -torch.inf
        if position < options.min_tokens:
            logits[markers.end_id] = -torch.inf
        ids.append(int(logits.argmax()))
        if ids[-1] == markers.end_id:
            break
    return [token for token in ids[1:] if token != markers.end_id]


@pytest.mark.parametrize(
    ("seed", "make"), [*((seed, tiny_model) for seed in range(4)), (0, released_model)]
)
def test_cached_greedy_equals_uncached_token_for_token(
    seed: int, make: Callable[[int], CoCa]
) -> None:
    """The key/value cache is exact over both decoder halves, of the paper's and open_clip's."""
    model = make(seed)
    pooled = _pooled(model, 3)
    options = GenerationOptions(beams=1, max_tokens=20, no_repeat_ngram=0)
    cached = generate(model, pooled, options)
    with torch.inference_mode():
        for picture, caption in enumerate(cached):
            slow = _slow_greedy(model, pooled[picture : picture + 1], options)
            assert list(caption.ids) == slow


def test_more_beams_never_find_a_less_likely_caption_on_average() -> None:
    """Beam search with plain log probability does at least as well as greedy."""
    model = tiny_model(1, spread=0.15)
    pooled = _pooled(model, 8)

    def total(beams: int) -> float:
        options = GenerationOptions(
            beams=beams, max_tokens=8, min_tokens=8, length_penalty=0.0, no_repeat_ngram=0
        )
        made = generate(model, pooled, options)
        return sum(c.mean_log_probability * max(len(c.ids), 1) for c in made)

    assert total(6) >= total(1)


def test_no_repeat_forbids_the_same_three_tokens_twice() -> None:
    """A babbling network still writes every trigram once."""
    model = tiny_model(2)
    for caption in generate(model, _pooled(model), GenerationOptions(max_tokens=30)):
        trigrams = list(zip(caption.ids, caption.ids[1:], caption.ids[2:], strict=False))
        assert len(trigrams) == len(set(trigrams))


def test_impossible_options_give_a_sentence_and_no_picture_gives_nothing() -> None:
    """More tokens than the context holds cannot be written."""
    model = tiny_model()
    with pytest.raises(UserError, match="1 to 39"):
        generate(model, _pooled(model), GenerationOptions(max_tokens=60))
    assert generate(model, _pooled(model)[:0], GenerationOptions()) == []
