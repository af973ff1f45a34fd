"""A network on its device, in the fastest arithmetic that gives float32's vectors there.

On an accelerator it is compared with float32 on the CPU when it is first put there; the verdict
is kept in the cache folder for each network, device and torch.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cocadesk.errors import tr
from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.checkpoint import Checkpoint, load_model
from cocadesk.model.device import FLOAT32, DeviceChoice
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.runtime.agreement import test_pictures
from cocadesk.model.runtime.memory import release_memory
from cocadesk.model.runtime.verdict import keep_verdict, read_verdict

if TYPE_CHECKING:
    from cocadesk.model.network.coca import CoCa

log = logging.getLogger(__name__)
#: Grows when the network's code or ``to_device`` changes: devices are compared anew.
_VERSION = 2
MIN_COSINE = 0.999
_TEXTS = (
    "a dog",
    "Two children play with a red ball on the beach.",
    "the harbour of a small town at night, seen from above",
    "2014",
)
_PICTURES = 4


def place(checkpoint: Checkpoint, model_id: str, choice: DeviceChoice) -> tuple[CoCa, DeviceChoice]:
    """The network, and the choice as it came out: on the CPU where the accelerator won't do."""
    if choice.device == "cpu":
        return load_model(checkpoint), replace(choice, dtype=FLOAT32)
    outcomes = []
    for dtype in dict.fromkeys((choice.dtype, FLOAT32)):
        tried = replace(choice, dtype=dtype)
        try:
            cosine = _kept_cosine(checkpoint, model_id, tried)
            if cosine >= MIN_COSINE:
                return to_device(load_model(checkpoint), tried), tried
            outcomes.append(tr("its vectors in {dtype} are others", dtype=dtype))
        except (RuntimeError, TypeError, AssertionError, MemoryError) as error:
            outcomes.append(_words_of(error))
        release_memory()
    log.warning("%s is not used: %s", choice.name, "; ".join(outcomes))
    reason = tr("{card} is not used: {why}", card=choice.name, why=outcomes[-1])
    return load_model(checkpoint), DeviceChoice(device="cpu", reason=reason)


def to_device(model: CoCa, choice: DeviceChoice) -> CoCa:
    """The network there, its matrices in the choice's arithmetic; changes ``model``.

    Norms, tables and positions stay in float32, and under ``arithmetic`` so do the sums of the
    residual stream. The next words' logits are computed in float32: beams are ranked by them.
    """
    if choice.dtype != FLOAT32:
        dtype = getattr(torch, choice.dtype)
        output = model.multimodal.output
        for module in model.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)) and module is not output:
                module.to(dtype)
        exact = _ExactLinear(output.in_features, output.out_features, bias=False, device="meta")
        exact.weight = output.weight
        model.multimodal.output = exact
    return model.to(choice.device).eval()


def arithmetic(choice: DeviceChoice) -> AbstractContextManager[object]:
    """The block in which a network that ``to_device`` gave is computed; for this thread."""
    if choice.dtype == FLOAT32:
        return nullcontext()
    return torch.autocast(choice.device, getattr(torch, choice.dtype))


class _ExactLinear(nn.Linear):
    """A linear layer in float32 whatever stands around it."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return nn.functional.linear(x.float(), self.weight, self.bias)


def _kept_cosine(checkpoint: Checkpoint, model_id: str, choice: DeviceChoice) -> float:
    """The verdict of the last time, else of a comparison now."""
    file = _file_of_verdict(model_id, choice)
    kept = (read_verdict(file) or {}).get("cosine")
    if kept is not None:
        return kept
    cosine = least_cosine(checkpoint, choice)
    log.info("%s in %s against float32 on the CPU: cosine %.5f", choice.name, choice.dtype, cosine)
    keep_verdict({"cosine": cosine}, file)
    return cosine


def is_compared(model_id: str, choice: DeviceChoice) -> bool:
    """True where the last time has left a verdict on this network there."""
    return _file_of_verdict(model_id, choice).exists()


def _file_of_verdict(model_id: str, choice: DeviceChoice) -> Path:
    device = (choice.device, choice.name, choice.dtype)
    parts = (model_id, *device, f"torch {torch.__version__}", str(_VERSION))
    name = "-".join("".join(c if c.isalnum() or c == "." else "_" for c in part) for part in parts)
    return cache_folder() / "self-tests" / f"{name}.json"


def least_cosine(checkpoint: Checkpoint, choice: DeviceChoice) -> float:
    """How well a network there agrees with float32 on the CPU; -1 where it gives no numbers.

    Of pictures, texts, what the decoder is given, and its logits.
    """
    cpu = DeviceChoice(device="cpu", reason="")
    plain = _answers(load_model(checkpoint), checkpoint, cpu)
    there = _answers(to_device(load_model(checkpoint), choice), checkpoint, choice)
    least = 1.0
    for a, b in zip(plain, there, strict=True):
        cosines = nn.functional.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)
        if not bool(torch.isfinite(b).all()):
            return -1.0
        least = min(least, float(cosines.min()))
    return least


@torch.inference_mode()
def _answers(model: CoCa, checkpoint: Checkpoint, choice: DeviceChoice) -> list[Tensor]:
    """Vectors (B, E), tokens (B, Q, D), texts (T, E) and logits (T, L, V), float32 on the CPU."""
    size, context = checkpoint.config.image.size_px, checkpoint.config.text.context
    batch = checkpoint.tokenizer.batch(_TEXTS, context)
    ids, valid = (
        torch.from_numpy(each).to(choice.device) for each in (batch.tokens_BT, batch.valid_BT)
    )
    with arithmetic(choice):
        pictures = torch.from_numpy(test_pictures(size)[:_PICTURES])
        pooled = model.encode_image(pictures.to(choice.device))
        texts = model.encode_text(ids, valid)
        words = model.unimodal(ids, valid)[0]
        logits = model.multimodal.output(model.multimodal(words, pooled.tokens_BQD))
    found = (pooled.vector_BE, pooled.tokens_BQD, texts, logits)
    return [each.float().cpu() for each in found]


def _words_of(error: BaseException) -> str:
    if is_out_of_memory(error):
        return tr("it has too little memory for this model")
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
