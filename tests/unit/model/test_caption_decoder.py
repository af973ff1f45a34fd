"""The decoder that writes captions: what it gives, and its choice of a precision."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, load_model, open_checkpoint
from cocadesk.model.device import DeviceChoice
from cocadesk.model.mapped_files import forget_mapped
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.decoder import Decoding, TextDecoder
from cocadesk.model.network.generation import Generated, generate, generate_candidates
from cocadesk.model.network.next_tokens import best_of
from cocadesk.model.network.products import (
    Arithmetic,
    Int8Product,
    arithmetic_for_cpu,
    has_bfloat16,
    has_int8,
    plain_arithmetic,
    small_arithmetics,
)
from cocadesk.model.runtime import caption_decoder
from cocadesk.model.runtime.caption_decoder import (
    CaptionTrial,
    MappedState,
    caption_speedups,
    open_decoder,
)
from cocadesk.model.values import GenerationOptions, RuntimeLimits
from tests.support.configs import tiny_config
from tests.support.released_model import released_model, write_released
from tests.support.tiny_model import sentence_model, tiny_model, write_tiny_checkpoint

needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(), reason="this CPU has no bfloat16")
needs_int8 = pytest.mark.skipif(not has_int8(), reason="this CPU has no VNNI")
MODELS = (tiny_model, sentence_model, released_model)


def _decoder(model: CoCa, precision: str = "float32") -> TextDecoder:
    state = dict(model.named_parameters(remove_duplicate=False))
    with torch.inference_mode():
        return TextDecoder(model.config.text, state, arithmetic_for_cpu(precision))


def _pooled(model: CoCa, count: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 255, (count, 64, 64, 3), dtype=torch.uint8, generator=generator)
    return model.encode_image(images).tokens_BQD.detach()


@torch.inference_mode()
def _logits(model: CoCa, pooled: torch.Tensor, ids_BT: torch.Tensor) -> torch.Tensor:
    states, _ = model.unimodal(ids_BT, torch.ones_like(ids_BT, dtype=torch.bool))
    found: torch.Tensor = model.multimodal.output(model.multimodal(states, pooled))
    return found


@pytest.mark.parametrize("make", MODELS)
def test_packed_weights_give_the_networks_logits_at_every_position(
    make: Callable[[], CoCa],
) -> None:
    """Of each caption, fed token by token."""
    model = make()
    pooled, ids_BT = _pooled(model), torch.randint(3, 500, (3, 9))
    expected = _logits(model, pooled, ids_BT)
    with torch.inference_mode():
        writing = Decoding(_decoder(model), pooled, 9)
        for place in range(9):
            found = writing.feed(ids_BT[:, place : place + 1])[:, 0]
            assert (found - expected[:, place]).abs().max() < 2e-4 * expected.abs().max()


@pytest.mark.parametrize("make", MODELS)
def test_beams_see_their_own_past_after_they_changed_places(make: Callable[[], CoCa]) -> None:
    """Two searches of one picture and one of another, three beams each, followed twice."""
    model, chance = make(), torch.Generator().manual_seed(3)
    pooled = _pooled(model, 2)
    pictures = torch.tensor([1, 0, 1])
    begin = model.config.text.begin_id
    past = torch.full((3, 3, 1), begin)
    with torch.inference_mode():
        writing = Decoding(_decoder(model), pooled, 8)
        writing.feed(torch.full((2, 1), begin))
        writing.spread(pictures, 3)
        for _ in range(4):
            token = torch.randint(3, 500, (3, 3), generator=chance)
            past = torch.cat((past, token[:, :, None]), dim=2)
            found = writing.feed(token)
            expected = _logits(model, pooled[pictures].repeat_interleave(3, 0), past.flatten(0, 1))[
                :, -1
            ].view_as(found)
            assert (found - expected).abs().max() < 2e-4 * expected.abs().max()
            parent = torch.randint(0, 3, (3, 3), generator=chance)
            writing.follow(parent)
            past = past[torch.arange(3)[:, None], parent]
        left = torch.tensor([0, 2])
        writing.keep(left)
        token = torch.randint(3, 500, (2, 3), generator=chance)
        past = torch.cat((past[left], token[:, :, None]), dim=2)
        pictures = pictures[left].repeat_interleave(3)
        expected = _logits(model, pooled[pictures], past.flatten(0, 1))[:, -1]
        found = writing.feed(token).flatten(0, 1)
        assert (found - expected).abs().max() < 2e-4 * expected.abs().max()


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_that_end_early_leave_the_others_as_they_would_be_alone(beams: int) -> None:
    """Lengths differ, so the batch shrinks on the way."""
    model = released_model(0, spread=0.2)
    with torch.no_grad():  # in place of a word that most of these captions have
        output = model.multimodal.output.weight
        end = model.config.text.end_id
        output[[end, 29332]] = output[[29332, end]]
    options = GenerationOptions(beams=beams, max_tokens=20, min_tokens=1, no_repeat_ngram=0)
    pooled = _pooled(model, 12)

    def plain(found: list[list[Generated]]) -> list[list[tuple[int, ...]]]:
        return [[each.ids for each in some] for some in found]

    together = generate_candidates(_decoder(model), pooled, options)
    assert len({len(some[0].ids) for some in together}) > 1
    alone = [generate_candidates(_decoder(model), pooled[n : n + 1], options)[0] for n in range(12)]
    assert plain(together) == plain(alone)


def test_only_the_text_side_is_read_and_each_weight_is_the_networks(tmp_path: Path) -> None:
    """Mapped anew for each, in float32."""
    checkpoint = open_checkpoint(write_tiny_checkpoint(tmp_path / "m"))
    state, model = MappedState(checkpoint), load_model(checkpoint)
    own = {
        name: weight
        for name, weight in model.state_dict().items()
        if name.startswith(("unimodal.", "multimodal."))
    }
    assert set(state) == set(own)
    assert len(state) == len(own)
    assert all(torch.equal(state[name], weight) for name, weight in own.items())
    assert "unimodal.nothing" not in state
    with pytest.raises(KeyError):
        state["image_norm.weight"]


def compare(first: TextDecoder, second: TextDecoder, tokens_BQD: torch.Tensor) -> dict[str, float]:
    """The verdict on the second."""
    plain = CaptionTrial(first, tokens_BQD)
    return CaptionTrial(second, tokens_BQD, plain.ids).against(plain)


@pytest.mark.parametrize("precision", small_arithmetics())
@pytest.mark.parametrize("make", MODELS)
def test_smaller_numbers_choose_words_about_as_likely(
    make: Callable[[], CoCa], precision: str
) -> None:
    """And rate captions as float32 does; the best logits are computed in float32."""
    model = make()
    pooled = _pooled(model, 6)
    found = compare(_decoder(model), _decoder(model, precision), pooled)
    assert 0 <= found["loss"] < 0.02
    assert found["difference"] < 0.2
    same = compare(_decoder(model), _decoder(model), pooled)
    assert same["loss"] == pytest.approx(0, abs=1e-5)
    assert same["difference"] < 1e-4


def test_all_ways_to_compute_take_turns_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """By layers that stand for all and by words once; slow turns slow all and do not count."""
    model = tiny_model()
    state = dict(model.named_parameters(remove_duplicate=False))
    config = replace(model.config.text, unimodal_layers=6, multimodal_layers=6)
    threads, seen, calls, clock = torch.get_num_threads(), set[int](), [0], [0.0]
    layer_s, words_s = {"float32": 5.0, "int8": 1.0}, {"float32": 8.0, "int8": 5.0}
    through, logits = Decoding._through, TextDecoder.logits

    def took(seconds: float) -> None:
        seen.add(torch.get_num_threads())
        clock[0] += seconds * (9 if calls[0] // 6 % 3 == 1 else 1)  # 6 calls a turn

    def slow_through(writing: Decoding, *given: Any) -> torch.Tensor:
        took(layer_s[writing._decoder.precision])
        return through(writing, *given)

    def slow_logits(decoder: TextDecoder, x_RD: torch.Tensor) -> torch.Tensor:
        took(words_s[decoder.precision])
        calls[0] += 1
        return logits(decoder, x_RD)

    monkeypatch.setattr(Decoding, "_through", slow_through)
    monkeypatch.setattr(TextDecoder, "logits", slow_logits)
    monkeypatch.setattr(caption_decoder, "_TEST_LAYERS", 1)
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])
    monkeypatch.setattr(caption_decoder, "arithmetic_for_cpu", _named)
    found = caption_speedups(config, state, ["int8"], _pooled(model, 8))
    assert found == {"int8": (12 * 5 + 8) / (12 * 1 + 5)}
    assert seen == {1}
    assert torch.get_num_threads() == threads


def _named(name: str) -> Arithmetic:
    """Plain arithmetic that passes for another one."""
    return replace(plain_arithmetic(torch.float32), name=name)


def test_a_decoder_that_writes_other_words_loses_likelihood() -> None:
    """By far more than one that rounds."""
    model, other = released_model(0), released_model(1)
    found = compare(_decoder(model), _decoder(other), _pooled(model, 6))
    assert found["loss"] > 0.1


@needs_int8
def test_a_product_in_int8_is_near_that_in_float32() -> None:
    """With a bias and without, for one row and many, and for an output that is always 0."""
    chance = torch.Generator().manual_seed(1)
    weight, bias = torch.randn(48, 32, generator=chance), torch.randn(48, generator=chance)
    weight[5] = 0
    for rows in (1, 8, 70):
        x = torch.randn(rows, 32, generator=chance)
        for given in (None, bias):
            expected = torch.nn.functional.linear(x, weight, given)
            found = Int8Product(weight, given)(x)
            assert found.dtype is torch.float32
            assert (found - expected).abs().max() < 0.02 * expected.abs().max()
            curved = Int8Product(weight, given)(x, gelu=True)
            expected = torch.nn.functional.gelu(expected)
            assert (curved - expected).abs().max() < 0.02 * expected.abs().max()


@needs_int8
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_row_in_int8_is_the_same_alone_and_among_others(threads: int, gelu: bool) -> None:
    """Bit for bit, also beside rows that are far larger or 0, or among 69 others."""
    chance = torch.Generator().manual_seed(2)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for inner, outer in ((768, 3072), (3072, 768), (48, 40)):
            weight = torch.randn(outer, inner, generator=chance) / inner**0.5
            product = Int8Product(weight, torch.randn(outer, generator=chance))
            for count in (8, 24, 70):
                rows = torch.randn(count, inner, generator=chance)
                rows[1] *= 1000
                rows[2] = 0
                together = product(rows, gelu=gelu)
                alone = torch.cat([product(row[None], gelu=gelu) for row in rows])
                assert torch.equal(together, alone)
    finally:
        torch.set_num_threads(before)


@needs_int8
@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("make", MODELS)
def test_captions_in_int8_are_those_of_each_picture_alone(
    make: Callable[[], CoCa], beams: int
) -> None:
    """A caption does not depend on the pictures that are written beside it."""
    model = make()
    decoder, pooled = _decoder(model, "int8"), _pooled(model, 8)
    pooled[3] *= 30  # by one scale for all rows the others would be rounded to nothing
    options = GenerationOptions(beams=beams, max_tokens=8, min_tokens=2, no_repeat_ngram=0)
    together = generate(decoder, pooled, options)
    alone = [generate(decoder, pooled[n : n + 1], options)[0] for n in range(8)]
    assert [each.ids for each in together] == [each.ids for each in alone]


@pytest.mark.parametrize("precision", small_arithmetics())
def test_logits_are_the_same_bit_for_bit_alone_and_among_others(precision: str) -> None:
    """At the width and with the tokens of CoCa B-32, whose products depend on their rows' count."""
    config = tiny_config()
    text = replace(config.text, width=512, heads=8, mlp_width=2048)
    decoder = _decoder(tiny_model(config=replace(config, text=text), spread=0.02), precision)
    chance = torch.Generator().manual_seed(4)
    tokens = torch.randn(8, 255, 512, generator=chance)
    with torch.inference_mode():
        together = Decoding(decoder, tokens, 4)
        alone = [Decoding(decoder, tokens[n : n + 1], 4) for n in range(8)]
        for _ in range(4):
            token = torch.randint(3, 500, (8, 1), generator=chance)
            found = together.feed(token)
            each = [one.feed(token[n : n + 1]) for n, one in enumerate(alone)]
            assert torch.equal(found, torch.cat(each))


def test_the_reference_gives_back_its_weights_as_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a few products' time, and with the captions of a decoder that keeps them."""
    checkpoint = open_checkpoint(write_tiny_checkpoint(tmp_path / "m"))
    file, state = checkpoint.folder / WEIGHTS, MappedState(checkpoint)
    forgotten: list[Path] = []

    def noted(path: Path) -> None:
        forgotten.append(path)
        forget_mapped(path)

    monkeypatch.setattr(caption_decoder, "forget_mapped", noted)
    plain = plain_arithmetic(torch.float32)
    tokens = _pooled(load_model(checkpoint))
    found = []
    for arithmetic in (plain, caption_decoder._passing_arithmetic(file)):
        with torch.inference_mode():
            trial = CaptionTrial(TextDecoder(checkpoint.config.text, state, arithmetic), tokens)
        found.append((trial.ids, trial.next_BTV))
        assert bool(forgotten) is (arithmetic is not plain)
    (ids, next_BTV), (same, same_BTV) = found
    assert same == ids
    assert torch.equal(same_BTV, next_BTV)
    assert set(forgotten) == {file}


@needs_int8
@pytest.mark.parametrize("beams", [1, 4])
def test_captions_in_int8_are_the_same_however_many_threads_a_step_has(beams: int) -> None:
    """Also where the number changes between two steps, as beside other work."""
    model = released_model()
    decoder, pooled = _decoder(model, "int8"), _pooled(model, 6)
    options = GenerationOptions(beams=beams, max_tokens=10, min_tokens=10)
    threads = torch.get_num_threads()

    def written(*numbers: int) -> list[list[Generated]]:
        left = itertools.cycle(numbers)
        return generate_candidates(
            decoder, pooled, options, between=lambda: torch.set_num_threads(next(left))
        )

    try:
        found = [written(1), written(2), written(1, 3), written(4, 1, 2)]
    finally:
        torch.set_num_threads(threads)
    assert found == [found[0]] * 4


@pytest.mark.parametrize("length", [5, 128, 1000, 49_408])
@pytest.mark.parametrize("number", [1, 3, 16])
def test_the_best_of_many_are_those_of_a_sort(length: int, number: int) -> None:
    generator = torch.Generator().manual_seed(length + number)
    order = torch.stack([torch.randperm(length, generator=generator) for _ in range(6)])
    x_23V = order.view(2, 3, length).float()
    value, place = best_of(x_23V, number)
    wanted, places = x_23V.sort(-1, descending=True)
    assert torch.equal(value, wanted[..., :number])
    assert torch.equal(place, places[..., :number])


def test_without_torchs_operators_there_is_no_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may go from torch: what is left is taken."""

    def gone(*_: object) -> None:
        raise AttributeError("qlinear_prepack")

    monkeypatch.setattr(Int8Product, "__init__", gone)
    assert not has_int8()
    assert "int8" not in small_arithmetics()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[RuntimeLimits], str]:
    """Opens the decoder of a tiny checkpoint; gives its precision."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    checkpoint = open_checkpoint(write_tiny_checkpoint(tmp_path / "m"))

    def precision(limits: RuntimeLimits) -> str:
        cpu = DeviceChoice(device="cpu", reason="")
        ids = checkpoint.ids()
        load = lambda: load_model(checkpoint)  # noqa: E731
        return open_decoder(checkpoint, ids, cpu, load, limits).precision

    return precision


LARGE = RuntimeLimits(large_decoder=1, max_caption_loss=10.0)


@needs_bfloat16
@needs_int8
def test_the_verdicts_on_precisions_are_kept_and_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[[RuntimeLimits], str]
) -> None:
    """Compared once; bad ones are float32, and so is a wish for it or a small network."""
    asked: list[str] = []

    class Counted(CaptionTrial):
        """Notes what is tried."""

        def __init__(self, decoder: TextDecoder, *rest: Any) -> None:
            asked.append(decoder.precision)
            super().__init__(decoder, *rest)

    monkeypatch.setattr(caption_decoder, "CaptionTrial", Counted)
    assert opened(RuntimeLimits()) == "float32"
    assert opened(replace(LARGE, max_caption_loss=-1.0)) == "float32"
    assert asked == []
    opened(LARGE)
    assert asked == ["float32", "int8", "bfloat16"]
    kept = {
        name: next((tmp_path / "cache" / "compiled").glob(f"*captions-{name}-*"))
        for name in ("int8", "bfloat16")
    }

    def keep(int8: tuple[float, float], bfloat16: tuple[float, float]) -> None:
        for name, (loss, speedup) in (("int8", int8), ("bfloat16", bfloat16)):
            found = {"loss": loss, "difference": 0.0, "speedup": speedup}
            kept[name].write_text(json.dumps(found), "utf-8")

    keep(int8=(0.01, 3.0), bfloat16=(0.001, 2.0))
    assert opened(LARGE) == "int8"
    assert opened(replace(LARGE, max_caption_loss=0.005)) == "bfloat16"
    assert opened(replace(LARGE, max_caption_loss=0.0005)) == "float32"
    keep(int8=(0.01, 1.5), bfloat16=(0.001, 2.0))
    assert opened(LARGE) == "bfloat16"
    keep(int8=(0.0, 0.9), bfloat16=(0.0, 0.9))
    assert opened(LARGE) == "float32"
    assert len(asked) == 3
    for damaged in ("{", "{}"):
        kept["int8"].write_text(damaged, "utf-8")
        opened(LARGE)
    assert asked[3:] == ["float32", "int8"] * 2


def test_the_precision_of_captions_is_said_once_they_are_written(tmp_path: Path) -> None:
    """Before that nothing has been opened."""
    file = write_released(tmp_path / "released" / "open_clip_model.safetensors")
    with open_backend(str(file), "cpu") as backend:
        assert backend.info().caption_precision == ""
        size = backend.info().input_spec.size_px
        images = np.random.default_rng(1).integers(0, 255, (2, size, size, 3), np.uint8)
        captions = backend.caption(images, GenerationOptions(beams=1, max_tokens=4))
        assert len(captions) == 2
        assert backend.info().caption_precision == "float32"
    assert generate(_decoder(released_model()), _pooled(released_model(), 1), GenerationOptions())
