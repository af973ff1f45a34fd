"""Each option of captions, by networks built like the released ones and like ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import Start, generate, generate_candidates
from cocadesk.model.tokenizers.clip import clip_tokenizer
from cocadesk.model.values import Caption, GenerationOptions, Opening
from tests.support.released_model import released_model, write_released
from tests.support.tiny_model import tiny_model

PLAIN = GenerationOptions(beams=1, max_tokens=12, min_tokens=1, no_repeat_ngram=0)
MODELS = (tiny_model, released_model)


def _pooled(model: CoCa, count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 255, (count, 64, 64, 3), dtype=torch.uint8, generator=generator)
    return model.encode_image(images).tokens_BQD.detach()


@torch.no_grad()
def _next(model: CoCa, pooled_1QD: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """Logits (V) of the next token, without a cache; what is never written has none."""
    text = model.config.text
    tokens = torch.tensor([[text.begin_id, *ids]])
    states, _ = model.unimodal(tokens, torch.ones_like(tokens, dtype=torch.bool))
    logits: torch.Tensor = model.multimodal.output(model.multimodal(states, pooled_1QD))[0, -1]
    logits[[text.pad_id, text.begin_id]] = -torch.inf
    return logits


def _greedy(
    model: CoCa, pooled_1QD: torch.Tensor, options: GenerationOptions, given: tuple[int, ...] = ()
) -> tuple[list[int], float]:
    """Greedy words written out, and the mean of their log probabilities."""
    end, ids, found = model.config.text.end_id, list(given), list[float]()
    while len(ids) < options.max_tokens:
        logits = _next(model, pooled_1QD, ids)
        for token in set(ids):
            factor = options.repetition_penalty
            logits[token] = logits[token] * (factor if logits[token] < 0 else 1 / factor)
        if len(ids) < options.min_tokens:
            logits[end] = -torch.inf
        token = int(logits.argmax())
        found.append(float(logits.log_softmax(-1)[token]))
        ids.append(token)
        if token == end:
            break
    return [token for token in ids if token != end], sum(found) / len(found)


@pytest.mark.parametrize("penalty", [1.0, 1.3, 5.0, 0.8])
@pytest.mark.parametrize("make", MODELS)
def test_a_repetition_penalty_changes_the_logits_of_what_was_said(
    make: Callable[[], CoCa], penalty: float
) -> None:
    """As a search written out does, and the likelihood is that under it."""
    model = make()
    pooled, options = _pooled(model), replace(PLAIN, repetition_penalty=penalty)
    for picture, caption in enumerate(generate(model, pooled, options)):
        ids, likely = _greedy(model, pooled[picture : picture + 1], options)
        assert list(caption.ids) == ids
        assert caption.mean_log_probability == pytest.approx(likely, abs=1e-4)


def test_a_high_repetition_penalty_says_no_word_twice() -> None:
    """Where without it words come again."""
    model = released_model()
    pooled = _pooled(model)

    def repeated(penalty: float) -> int:
        found = generate(model, pooled, replace(PLAIN, repetition_penalty=penalty))
        return sum(len(each.ids) - len(set(each.ids)) for each in found)

    assert repeated(1.0) > 0
    assert repeated(50.0) == 0


@pytest.mark.parametrize(("least", "most"), [(1, 4), (6, 6), (9, 12)])
@pytest.mark.parametrize("beams", [1, 3])
def test_captions_have_the_lengths_that_are_asked_for(least: int, most: int, beams: int) -> None:
    """At least so many words before the end, and no more than that with it."""
    model = released_model(0, spread=0.2)
    with torch.no_grad():  # the end in place of words that these captions have
        model.multimodal.output.weight[model.config.text.end_id] *= 3.0
    options = replace(PLAIN, beams=beams, min_tokens=least, max_tokens=most)
    for caption in generate(model, _pooled(model, 8), options):
        assert least <= len(caption.ids) <= most


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("make", MODELS)
def test_a_beginning_that_does_not_count_leaves_the_mean_to_what_follows(
    make: Callable[[], CoCa], beams: int
) -> None:
    """Greedy words after it are those of a search written out."""
    model = make()
    pooled, given = _pooled(model), (40, 41, 42)
    starts = [Start(picture=n, ids=given, log_probability=None) for n in range(4)]
    options = replace(PLAIN, beams=beams)
    found = [some[0] for some in generate_candidates(model, pooled, options, None, starts)]
    for picture, caption in enumerate(found):
        assert caption.ids[:3] == given
        if beams == 1:
            ids, likely = _greedy(model, pooled[picture : picture + 1], options, given)
            assert list(caption.ids) == ids
            assert caption.mean_log_probability == pytest.approx(likely, abs=1e-4)


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}])
def test_the_narrowest_drawing_is_greedy(narrow: dict[str, float]) -> None:
    """One token is left, or one has all the probability."""
    model = released_model()
    options = replace(PLAIN, **({"temperature": 1.0} | narrow))  # type: ignore[arg-type]
    pooled = _pooled(model)
    assert [each.ids for each in generate(model, pooled, options)] == [
        each.ids for each in generate(model, pooled, PLAIN)
    ]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    """At a temperature, among the likeliest; 6,000 draws of the first token."""
    model, count = tiny_model(1, spread=0.1), 6000
    pooled = _pooled(model, 1)
    logits = _next(model, pooled, [])
    for top_k, top_p, temperature in ((0, 1.0, 1.0), (5, 1.0, 0.7), (0, 0.5, 1.5), (8, 0.6, 1.0)):
        options = replace(
            PLAIN, beams=count, max_tokens=1, min_tokens=0,
            temperature=temperature, top_k=top_k, top_p=top_p,
        )  # fmt: skip
        probability = (logits / temperature).softmax(-1)
        order = probability.argsort(descending=True)[: top_k or None]
        kept = probability[order] / probability[order].sum()
        kept[(kept.cumsum(0) - kept) >= top_p] = 0
        expected = torch.zeros_like(probability)
        expected[order] = kept / kept.sum()
        [found] = generate_candidates(model, pooled, options)
        end = model.config.text.end_id
        drawn = torch.tensor([each.ids[0] if each.ids else end for each in found])
        assert len(drawn) == count
        share = torch.bincount(drawn, minlength=len(expected)) / count
        assert not share[expected == 0].any()
        assert (share - expected).abs().max() < 4 * (0.25 / count) ** 0.5
        best = [each.rank for each in found]
        assert best == sorted(best, reverse=True)


def test_a_seed_draws_the_same_again_and_another_does_not() -> None:
    """Of several drawn captions the likeliest stands first."""
    model = released_model()
    pooled = _pooled(model)
    options = replace(PLAIN, beams=4, temperature=1.5, seed=3)

    def ids(options: GenerationOptions) -> list[list[tuple[int, ...]]]:
        return [[e.ids for e in some] for some in generate_candidates(model, pooled, options)]

    assert ids(options) == ids(options)
    assert ids(options) != ids(replace(options, seed=4))
    for some in generate_candidates(model, pooled, options):
        ranks = [each.rank for each in some]
        assert ranks == sorted(ranks, reverse=True)
        assert len({each.ids for each in some}) > 1


@pytest.mark.parametrize(
    "wrong",
    [
        *({"temperature": -1.0}, {"top_p": 0.0}, {"top_p": 1.5}, {"top_k": -1}),
        *({"beams": 0}, {"repetition_penalty": 0.0}),
    ],
)
def test_options_out_of_their_range_are_refused(wrong: dict[str, float]) -> None:
    """In a sentence, before anything is written."""
    model = tiny_model()
    with pytest.raises(UserError):
        generate(model, _pooled(model, 1), replace(PLAIN, **wrong))  # type: ignore[arg-type]


def test_a_prompt_begins_each_caption_of_a_released_network_and_an_empty_one_is_none(
    tmp_path: Path,
) -> None:
    """Words, not ids; the rest is what the network says after them."""
    file = write_released(tmp_path / "released" / "open_clip_model.safetensors")
    model, tokenizer = released_model(), clip_tokenizer()
    with open_backend(str(file), "cpu") as backend:
        size = backend.info().input_spec.size_px
        images = np.random.default_rng(1).integers(0, 255, (3, size, size, 3), np.uint8)

        def written(**options: object) -> list[str]:
            wanted = replace(PLAIN, **options)  # type: ignore[arg-type]
            captions: list[Caption] = backend.caption(images, wanted)
            return [caption.text for caption in captions]

        plain = written()
        assert written(prompt="") == written(prompt="  \n ") == plain
        prompted = written(prompt="A photo of")
        assert all(text.startswith("A photo of ") for text in prompted)
        assert len(set(prompted)) > 1 or len(set(plain)) == 1
        beams = written(prompt="a photo of", beams=3)
        assert all(text.startswith("A photo of ") for text in beams)
        given = tuple(tokenizer.encode("A photo of", 76)[1:-1])
        _, tokens = backend.pooled(images)
        ids, _ = _greedy(model, torch.from_numpy(tokens[:1]), PLAIN, given)
        expected = tokenizer.decode(ids).strip()
        assert prompted[0] == expected[:1].upper() + expected[1:]

        def openings(vectors_BE: object) -> list[list[Opening]]:
            raise AssertionError("a prompt leaves no openings")

        assert written(prompt="A photo of", openings=openings) == prompted
        with pytest.raises(UserError, match="too long"):
            written(prompt="word " * 12)
