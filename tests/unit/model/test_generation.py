"""Captions: the cache changes nothing, beams search, options are checked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import Start, generate, generate_candidates
from cocadesk.model.values import STYLES, GenerationOptions, Markers
from tests.support.released_model import released_model
from tests.support.tiny_model import sentence_model, tiny_model

MARKERS = Markers(
    styles=dict(zip(STYLES, (5, 4, 6), strict=True)), unwritten=(3, 4, 5, 6), articles=(7, 8)
)


def _pooled(model: CoCa, count: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 255, (count, 64, 64, 3), dtype=torch.uint8, generator=generator)
    return model.encode_image(images).tokens_BQD.detach()


def _slow_search(
    model: CoCa, pooled_1QD: torch.Tensor, options: GenerationOptions, prompt: list[int]
) -> list[tuple[list[int], float]]:
    """Beams without a cache, one at a time, the whole text again at every step; best first."""
    text = model.config.text
    beams = [(list[int](), 0.0)]

    def rank(beam: tuple[list[int], float]) -> float:
        return beam[1] / max(len(beam[0]), 1) ** options.length_penalty

    for position in range(options.max_tokens):
        grown = []
        for ids, score in beams:
            if text.end_id in ids:
                grown.append((ids, score))
                continue
            tokens = torch.tensor([prompt + ids])
            states, _ = model.unimodal(tokens, torch.ones_like(tokens, dtype=torch.bool))
            logits = model.multimodal.output(model.multimodal(states, pooled_1QD))[0, -1]
            logits[[text.pad_id, text.begin_id]] = -torch.inf
            if len(prompt) > 1:
                logits[list(MARKERS.unwritten)] = -torch.inf
            if position < options.min_tokens:
                logits[text.end_id] = -torch.inf
            found = logits.log_softmax(-1)
            for start in range(len(ids) - 2 if options.no_repeat_ngram else 0):
                if ids[start : start + 2] == ids[-2:]:
                    found[ids[start + 2]] = -torch.inf
            best = found.topk(options.beams)
            grown += [
                ([*ids, token], score + value)
                for token, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            ]
        beams = sorted(grown, key=rank, reverse=True)[: options.beams]
    return [([i for i in beam[0] if i != text.end_id], beam[1]) for beam in beams]


@pytest.mark.parametrize(
    ("seed", "make"),
    [*((seed, tiny_model) for seed in range(4)), (0, sentence_model), (0, released_model)],
)
def test_cached_greedy_equals_uncached_token_for_token(
    seed: int, make: Callable[[int], CoCa]
) -> None:
    """The key/value cache is exact of both halves, also of a sentence model's and open_clip's."""
    model = make(seed)
    pooled = _pooled(model, 3)
    options = GenerationOptions(beams=1, max_tokens=20, no_repeat_ngram=0)
    cached = generate(model, pooled, options)
    with torch.inference_mode():
        for picture, caption in enumerate(cached):
            begin = [model.config.text.begin_id]
            [(slow, _)] = _slow_search(model, pooled[picture : picture + 1], options, begin)
            assert list(caption.ids) == slow


@pytest.mark.parametrize("style", [None, *STYLES])
def test_all_beams_are_those_of_a_search_written_out(style: str | None) -> None:
    """Without a style after the begin marker; else the style's marker stands between.

    Neither it nor another marker is written, and tokens are counted from after it.
    """
    model = tiny_model(3)
    pooled = _pooled(model, 3)
    options = GenerationOptions(max_tokens=9, style=style or "sentence")
    begin = model.config.text.begin_id
    prompt = [begin] if style is None else [begin, MARKERS.styles[style]]
    found = generate_candidates(model, pooled, options, None if style is None else MARKERS)
    with torch.inference_mode():
        for picture, candidates in enumerate(found):
            slow = _slow_search(model, pooled[picture : picture + 1], options, prompt)
            assert [list(each.ids) for each in candidates] == [ids for ids, _ in slow]
            assert [each.mean_log_probability for each in candidates] == pytest.approx(
                [score / min(len(ids) + 1, 9) for ids, score in slow], abs=1e-4
            )
    assert [each[0] for each in found] == generate(
        model, pooled, options, None if style is None else MARKERS
    )
    if style is not None:
        written = {token for some in found for each in some for token in each.ids}
        assert written.isdisjoint(MARKERS.unwritten)


def test_a_style_begins_another_caption_of_the_same_picture() -> None:
    """The marker is fed to the network: pictures get other words by it."""
    model = tiny_model(1)
    pooled = _pooled(model)
    by_style = {
        style: [
            each.ids for each in generate(model, pooled, GenerationOptions(style=style), MARKERS)
        ]
        for style in STYLES
    }
    assert len({str(ids) for ids in by_style.values()}) == len(STYLES)


def test_a_style_without_a_marker_is_refused_by_its_name() -> None:
    """A network of sentences writes sentences, whichever way they are asked for."""
    model = tiny_model()
    with pytest.raises(UserError, match="in the style “short”"):
        generate(model, _pooled(model), GenerationOptions(style="short"))
    with pytest.raises(UserError, match="It knows: sentence, short, alt text"):
        generate(model, _pooled(model), GenerationOptions(style="rhymed"), MARKERS)
    assert generate(model, _pooled(model), GenerationOptions(style="sentence"))


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


def test_no_repeated_phrase_forbids_the_same_word_after_an_article() -> None:
    """After any article; where it is allowed this network says such a phrase again."""
    model = tiny_model(2)
    with torch.no_grad():
        model.multimodal.output.weight[list(MARKERS.articles)] *= 3.0  # articles are likely

    def repeated(options: GenerationOptions) -> int:
        count = 0
        for caption in generate(model, _pooled(model), options, MARKERS):
            after = [
                word
                for article, word in zip(caption.ids, caption.ids[1:], strict=False)
                if article in MARKERS.articles
            ]
            count += len(after) - len(set(after))
        return count

    assert repeated(GenerationOptions(max_tokens=30)) > 0
    assert repeated(GenerationOptions(max_tokens=30, no_repeat_phrases=True)) == 0


def test_impossible_options_give_a_sentence_and_no_picture_gives_nothing() -> None:
    """More tokens than the context holds cannot be written."""
    model = tiny_model()
    with pytest.raises(UserError, match="1 to 39"):
        generate(model, _pooled(model), GenerationOptions(max_tokens=60))
    with pytest.raises(UserError, match="1 to 38"):  # the style's marker takes a place
        generate(model, _pooled(model), GenerationOptions(max_tokens=39), MARKERS)
    assert generate(model, _pooled(model)[:0], GenerationOptions()) == []


STARTS = (
    Start(picture=2, ids=(30, 31), log_probability=-0.5),
    Start(picture=0),
    Start(picture=2, ids=(40,), log_probability=-1.0),
    Start(picture=1, ids=(50, 51, 52, 53), log_probability=-0.1),
)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("make", [tiny_model, sentence_model])
def test_a_caption_begins_with_the_ids_that_it_is_given(
    make: Callable[[int], CoCa], beams: int
) -> None:
    """All beams of each search, in the order of the starts; a picture may have several."""
    model = make(3)
    options = GenerationOptions(max_tokens=9, beams=beams)
    found = generate_candidates(model, _pooled(model, 3), options, MARKERS, STARTS)
    assert len(found) == len(STARTS)
    for start, candidates in zip(STARTS, found, strict=True):
        assert 1 <= len(candidates) <= beams
        assert all(each.ids[: len(start.ids)] == start.ids for each in candidates)
        assert len({each.ids for each in candidates}) == len(candidates)
    plain = generate_candidates(model, _pooled(model, 3), options, MARKERS)[0]
    assert [each.ids for each in found[1]] == [each.ids for each in plain]


def test_a_start_counts_as_one_token_as_likely_as_it_says() -> None:
    """The mean is that of the tokens behind it, with this one."""
    model, options = tiny_model(3), GenerationOptions(max_tokens=9, no_repeat_ngram=0)
    pooled = _pooled(model, 3)
    found = generate_candidates(model, pooled, options, None, STARTS)
    end = model.config.text.end_id
    for start, candidates in zip(STARTS, found, strict=True):
        for each in candidates:
            ended = [*each.ids, end][: options.max_tokens]
            tokens = torch.tensor([[model.config.text.begin_id, *ended[:-1]]])
            with torch.inference_mode():
                states, _ = model.unimodal(tokens, torch.ones_like(tokens, dtype=torch.bool))
                picture = pooled[start.picture : start.picture + 1]
                logits = model.multimodal.output(model.multimodal(states, picture))[0]
                logits[:, [model.config.text.pad_id, model.config.text.begin_id]] = -torch.inf
                logits[: options.min_tokens, end] = -torch.inf
                likely = logits.log_softmax(-1)[range(len(ended)), ended][len(start.ids) :]
            given = [start.log_probability] if start.ids else []
            mean = (sum(given) + float(likely.sum())) / (len(given) + len(likely))
            assert each.mean_log_probability == pytest.approx(mean, abs=1e-4)


def test_a_start_gives_the_same_alone_as_among_others() -> None:
    """Searches touch no other, whatever the lengths of their starts."""
    model, options = tiny_model(4), GenerationOptions(max_tokens=9)
    pooled = _pooled(model, 3)
    together = generate_candidates(model, pooled, options, MARKERS, STARTS)
    for start, expected in zip(STARTS, together, strict=True):
        [alone] = generate_candidates(model, pooled, options, MARKERS, [start])
        assert [each.ids for each in alone] == [each.ids for each in expected]
    assert generate_candidates(model, pooled, options, MARKERS, []) == []
