"""The decoder that writes captions: in int8 or bfloat16 where it is faster and as good as float32.

Only the text side's weights are read, one matrix at a time: the rest of the network and what
the file maps take no memory.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint, load_model
from cocadesk.model.checkpoints.int8_rows import as_floats
from cocadesk.model.checkpoints.weight_files import SCALE, read_safetensors
from cocadesk.model.device import DeviceChoice
from cocadesk.model.ids import ModelIds
from cocadesk.model.mapped_files import forget_mapped
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import TextConfig
from cocadesk.model.network.decoder import Decoding, State, TextDecoder
from cocadesk.model.network.generation import decoder_of, generate, next_log_probabilities
from cocadesk.model.network.products import (
    FLOAT32,
    Arithmetic,
    PlainProduct,
    arithmetic_for_cpu,
    plain_arithmetic,
    small_arithmetics,
)
from cocadesk.model.runtime.agreement import test_pictures
from cocadesk.model.runtime.memory import trim_heap
from cocadesk.model.runtime.torch import forget_as_it_goes
from cocadesk.model.runtime.verdict import (
    CAPTION_VERSION,
    keep_verdict,
    note_captions_compared,
    read_verdict,
)
from cocadesk.model.values import GenerationOptions, RuntimeLimits

log = logging.getLogger(__name__)
_PREFIXES = ("unimodal.", "multimodal.")
_TEST_PICTURES, _TEST_TOKENS = 8, 10
_TEST_LAYERS = 2
"""Of each half: decoders of so few in all ways to compute fit into memory at once."""
_TURNS = 15
_SMALL_BYTES = 1 << 20
_PRODUCTS_MAPPED = 8
"""To look for the mappings of a file takes a millisecond."""
_LEAST_S = 1e-4
"""The clock of threads may have a tick of 16 ms (Windows)."""


class MappedState(Mapping[str, torch.Tensor]):
    """The text side's weights of a checkpoint in float32, each mapped anew when asked for."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._path = checkpoint.folder / WEIGHTS
        names = read_safetensors(self._path, wanted=_PREFIXES)
        self._names = [name for name in names if not name.endswith(SCALE)]

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._names:
            raise KeyError(name)
        found = as_floats(read_safetensors(self._path, wanted=(name,)))[name]
        # A small one that is kept must not keep the whole file mapped.
        return found.clone() if found.nbytes < _SMALL_BYTES else found

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def open_decoder(
    checkpoint: Checkpoint,
    ids: ModelIds,
    device: DeviceChoice,
    load: Callable[[], CoCa],
    limits: RuntimeLimits,
) -> TextDecoder:
    """The fastest decoder that writes this checkpoint's captions on this device.

    ``load`` gives the network in torch on another device. The first opening of a large network
    compares int8 and bfloat16 with float32 on captions of made-up pictures; the verdicts are kept
    in the cache folder.
    """
    if device.device != "cpu":
        return decoder_of(load(), getattr(torch, device.dtype))
    text, state = checkpoint.config.text, MappedState(checkpoint)

    def opened(name: str) -> TextDecoder:
        return TextDecoder(text, state, arithmetic_for_cpu(name))

    if text.width < limits.large_decoder or limits.max_caption_loss < 0:
        return opened(FLOAT32)
    verdicts = _Verdicts(ids, limits)
    unknown = [name for name in small_arithmetics() if not verdicts.knows(name)]
    if unknown:
        tokens_BQD = _test_tokens(checkpoint)
        speedups = caption_speedups(text, state, unknown, tokens_BQD)
        trim_heap()
        plain = CaptionTrial(
            TextDecoder(text, state, _passing_arithmetic(checkpoint.folder / WEIGHTS)), tokens_BQD
        )
        for name in unknown:  # never two at once: each takes as much memory as its weights
            trim_heap()
            found = CaptionTrial(opened(name), tokens_BQD, plain.ids).against(plain)
            verdicts.keep(name, found | {"speedup": speedups[name]})
        trim_heap()
    note_captions_compared(ids)
    return opened(verdicts.best())


class _PassingProduct(PlainProduct):
    """The product with mapped weights, whose memory is given back after some products.

    A decoder of CoCa L-14 in float32 takes 1.1 GB, and writes a few captions once.
    """

    _count = 0

    def __init__(self, weight_OI: torch.Tensor, bias_O: torch.Tensor | None, file: Path) -> None:
        super().__init__(weight_OI, bias_O)
        self._file = file

    def __call__(self, x: torch.Tensor, *, gelu: bool = False) -> torch.Tensor:
        """As that of any weights."""
        found = super().__call__(x, gelu=gelu)
        _PassingProduct._count += 1
        if _PassingProduct._count % _PRODUCTS_MAPPED == 0:
            forget_mapped(self._file)
        return found


def _passing_arithmetic(file: Path) -> Arithmetic:
    """float32 with the weights of a checkpoint's file, which take no memory for long."""
    return replace(
        plain_arithmetic(torch.float32),
        pack=lambda weight, bias: _PassingProduct(weight, bias, file),
        pack_kept=lambda weight, bias: _PassingProduct(weight, bias, file),
    )


class _Verdicts:
    """What is known of each arithmetic against float32."""

    def __init__(self, ids: ModelIds, limits: RuntimeLimits) -> None:
        self._limits = limits
        self._paths = {
            name: cache_folder()
            / "compiled"
            / f"{ids.model_id}-captions-{name}-{CAPTION_VERSION}-torch-{torch.__version__}.json"
            for name in small_arithmetics()
        }
        found = {name: read_verdict(path) for name, path in self._paths.items()}
        self._found = {
            name: one for name, one in found.items() if one and {"loss", "speedup"} <= one.keys()
        }

    def knows(self, name: str) -> bool:
        """True where it was compared."""
        return name in self._found

    def keep(self, name: str, found: dict[str, float]) -> None:
        """Keeps a comparison."""
        log.info("captions in %s against float32: %s", name, found)
        self._found[name] = found
        keep_verdict(found, self._paths[name])

    def best(self) -> str:
        """The fastest one of those that are good enough."""
        speeds = {
            name: found["speedup"]
            for name, found in self._found.items()
            if found["loss"] <= self._limits.max_caption_loss
        }
        return max(speeds | {FLOAT32: 1.0}, key=(speeds | {FLOAT32: 1.0}).__getitem__)


@torch.inference_mode()
def _test_tokens(checkpoint: Checkpoint) -> torch.Tensor:
    """The decoder's tokens (B, Q, D) of made-up pictures."""
    pictures = test_pictures(checkpoint.config.image.size_px)[:_TEST_PICTURES]
    model = load_model(checkpoint)
    forget_as_it_goes(model, checkpoint.folder / WEIGHTS)
    return model.encode_image(torch.from_numpy(pictures)).tokens_BQD


@torch.inference_mode()
def caption_speedups(
    text: TextConfig, state: State, names: Sequence[str], tokens_BQD: torch.Tensor
) -> dict[str, float]:
    """How many times as fast as in float32 a token is written in each of these, at their best.

    All take turns, in this thread alone, by its own time: memory that is slow for a while slows
    all of them, threads that wait for each other would count as work, and other programs only
    ever add to a turn. A few layers stand for all, since the decoders are in memory together.
    """
    few = replace(
        text,
        unimodal_layers=min(text.unimodal_layers, _TEST_LAYERS),
        multimodal_layers=min(text.multimodal_layers, _TEST_LAYERS),
    )
    times = (text.unimodal_layers + text.multimodal_layers) / max(
        few.unimodal_layers + few.multimodal_layers, 1
    )
    turns = min(_TURNS, text.context // 2 - 1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        steps = {
            name: _Step(TextDecoder(few, state, arithmetic_for_cpu(name)), tokens_BQD, 2 * turns)
            for name in (FLOAT32, *names)
        }
        for _ in range(turns):
            for step in steps.values():
                step.take_turn()
    finally:
        torch.set_num_threads(threads)
    best = {name: step.seconds(times) for name, step in steps.items()}
    return {name: best[FLOAT32] / best[name] for name in names}


class _Step:
    """The writing of one more token of each caption, again and again; its best times."""

    def __init__(self, decoder: TextDecoder, tokens_BQD: torch.Tensor, room: int) -> None:
        self._decoder = decoder
        self._writing = Decoding(decoder, tokens_BQD, room)
        self._token_B1 = torch.full((len(tokens_BQD), 1), decoder.config.begin_id)
        self._x_BD = tokens_BQD[:, 0].contiguous()
        self._whole_s = self._words_s = math.inf

    def take_turn(self) -> None:
        """Once uncounted: the decoder before has left its own in the caches. Then once more."""
        self._writing.feed(self._token_B1)
        start = time.thread_time()
        self._writing.feed(self._token_B1)
        middle = time.thread_time()
        self._decoder.logits(self._x_BD)
        self._whole_s = min(self._whole_s, middle - start)
        self._words_s = min(self._words_s, time.thread_time() - middle)

    def seconds(self, times: float) -> float:
        """This thread's time for a step by ``times`` as many layers, and the choice of words."""
        return max((self._whole_s - self._words_s) * times + self._words_s, _LEAST_S)


class CaptionTrial:
    """Greedy captions by a decoder alone, and what it thinks of given ones.

    ``ids`` are the captions that it is asked about, else its own.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        tokens_BQD: torch.Tensor,
        ids: Sequence[Sequence[int]] | None = None,
    ) -> None:
        if ids is None:
            ids = [each.ids for each in generate(decoder, tokens_BQD, _test_options(decoder))]
        self.ids = ids
        self.next_BTV = next_log_probabilities(decoder, tokens_BQD, self.ids)

    def against(self, first: CaptionTrial) -> dict[str, float]:
        """By how much less likely this one writes a token.

        At each token of ``first``'s captions this one chooses the next one as well: ``loss`` is
        by how much the log probability of its choice lies below that of the best one, both by
        ``first``, a mean over tokens. ``difference`` is that of both decoders' log probabilities
        of these captions at most, each a mean over the caption's tokens.
        """
        there, own = first.next_BTV, self.next_BTV
        chosen = there.gather(2, own.argmax(2, keepdim=True))[:, :, 0]
        ids_BT1 = torch.tensor(first.ids)[:, :, None]
        rated, here = (each.gather(2, ids_BT1).mean(1) for each in (there, own))
        return {
            "loss": float((there.amax(2) - chosen).mean()),
            "difference": float((rated - here).abs().max()),
        }


def _test_options(decoder: TextDecoder) -> GenerationOptions:
    """Greedy captions of equal length."""
    most = min(_TEST_TOKENS, decoder.config.context - 2)
    return GenerationOptions(beams=1, max_tokens=most, min_tokens=most, no_repeat_ngram=0)
