"""The decoder that writes captions: in bfloat16 where that agrees with float32 and is faster.

Only the text side's weights are read, one matrix at a time: the rest of the network and what
the file maps take no memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint, load_model
from cocadesk.model.checkpoints.int8_rows import as_floats
from cocadesk.model.checkpoints.weight_files import SCALE, read_safetensors
from cocadesk.model.device import DeviceChoice
from cocadesk.model.ids import ModelIds
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.decoder import TextDecoder
from cocadesk.model.network.generation import decoder_of, generate, log_probabilities
from cocadesk.model.network.products import has_bfloat16, pack_for_cpu
from cocadesk.model.runtime.agreement import test_pictures
from cocadesk.model.runtime.verdict import keep_verdict, read_verdict
from cocadesk.model.values import GenerationOptions, RuntimeLimits

log = logging.getLogger(__name__)
#: Grows when the decoder's code changes: bfloat16 is compared anew.
_VERSION = 1
_PREFIXES = ("unimodal.", "multimodal.")
_TEST_PICTURES = 4
_TEST = GenerationOptions(beams=1, max_tokens=10, min_tokens=10, no_repeat_ngram=0)


class MappedState(Mapping[str, torch.Tensor]):
    """The text side's weights of a checkpoint in float32, each mapped anew when asked for."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._path = checkpoint.folder / WEIGHTS
        names = read_safetensors(self._path, wanted=_PREFIXES)
        self._names = [name for name in names if not name.endswith(SCALE)]

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._names:
            raise KeyError(name)
        return as_floats(read_safetensors(self._path, wanted=(name,)))[name]

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
    compares bfloat16 with float32 on captions of made-up pictures; the verdict is kept in the
    cache folder.
    """
    if device.device != "cpu":
        return decoder_of(load(), getattr(torch, device.dtype))
    text, state = checkpoint.config.text, MappedState(checkpoint)

    def packed(dtype: torch.dtype) -> TextDecoder:
        return TextDecoder(text, state, pack=pack_for_cpu(dtype), dtype=dtype)

    if text.width < limits.large_decoder or limits.max_caption_loss < 0 or not has_bfloat16():
        return packed(torch.float32)
    name = f"{ids.model_id}-captions-{_VERSION}-torch-{torch.__version__}.json"
    path = cache_folder() / "compiled" / name
    found = read_verdict(path)
    if found is not None and {"loss", "speedup"} <= found.keys():
        return packed(torch.bfloat16 if _is_accepted(found, limits) else torch.float32)
    tokens_BQD = _test_tokens(checkpoint)
    plain, half = packed(torch.float32), packed(torch.bfloat16)
    found = compare(plain, half, tokens_BQD)
    log.info("captions in bfloat16 against float32: %s", found)
    keep_verdict(found, path)
    return half if _is_accepted(found, limits) else plain


@torch.inference_mode()
def _test_tokens(checkpoint: Checkpoint) -> torch.Tensor:
    """The decoder's tokens (B, Q, D) of made-up pictures."""
    pictures = test_pictures(checkpoint.config.image.size_px)[:_TEST_PICTURES]
    return load_model(checkpoint).encode_image(torch.from_numpy(pictures)).tokens_BQD


def _is_accepted(found: Mapping[str, float], limits: RuntimeLimits) -> bool:
    return found["loss"] <= limits.max_caption_loss and found["speedup"] > 1


def compare(first: TextDecoder, second: TextDecoder, tokens_BQD: torch.Tensor) -> dict[str, float]:
    """By how much less likely ``second``'s greedy captions are a token, and how much faster it is.

    Both captions' log probabilities are ``first``'s; ``second``'s own ones differ from them by
    ``difference`` at most, a mean over a caption's tokens.
    """
    seconds, written = [], []
    for decoder in (first, second):
        generate(decoder, tokens_BQD, replace(_TEST, max_tokens=1))  # the first call also allocates
        start = time.perf_counter()
        written.append(generate(decoder, tokens_BQD, _TEST))
        seconds.append(time.perf_counter() - start)
    there, own = (np.array([each.mean_log_probability for each in some]) for some in written)
    here = log_probabilities(first, tokens_BQD, [each.ids for each in written[1]]).numpy()
    return {
        "loss": float(there.mean() - here.mean()),
        "difference": float(np.abs(own - here).max()),
        "speedup": seconds[0] / seconds[1],
    }
