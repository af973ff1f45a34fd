"""Our CoCa against open_clip's: the same random weights, the largest difference of answers.

    python tests/bench/parity.py [--quick] [--most 1e-4] [--device auto|cpu|cuda]

open_clip 3.3 answers in a process of its own and saves its state dict; we open that
through the door that the program uses. ``--quick`` is coca_ViT-B-32 alone (under a
minute). Vectors have unit norm, logits are of the order of 1 to 5. Exit code 1 where a
difference exceeds ``--most`` or a token id differs.
"""

# ruff: noqa: E402 - the repository must be on the path, and BLAS told, before the imports

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from cocadesk.model.checkpoints.checkpoint import Checkpoint, load_model
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import RuntimeLimits
from tests.support.open_clip_reference import TEXTS, Answers, run_reference, texts_to_tokenise

EXACT = RuntimeLimits(min_half_cosine=2.0, max_caption_loss=-1.0)
"""Limits that no bfloat16 reaches: all is computed in float32."""
COLUMNS = ("images", "decoder tokens", "texts", "texts (torch)", "caption logits", "scale")


def largest(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Max abs difference; infinite where a value is no number or the shapes differ."""
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        return float("inf")
    return float(np.abs(ours - theirs).max())


def compare(checkpoint: Checkpoint, answers: Answers, device: str) -> dict[str, float]:
    """The largest difference of each kind of answer, in float32."""
    with CocaBackend(checkpoint, device, limits=EXACT) as backend:
        vectors, tokens = backend.pooled(answers.images_BHWC)
        texts = backend.embed_texts(TEXTS)
    torch_texts, logits, scale = by_network(checkpoint, answers)
    values = (
        largest(vectors, answers.image_BE),
        largest(tokens, answers.tokens_BQD),
        largest(texts, answers.text_BE),
        largest(torch_texts, answers.text_BE),
        largest(logits, answers.logits_BTV),
        abs(scale / answers.logit_scale - 1),
    )
    return dict(zip(COLUMNS, values, strict=True))


@torch.inference_mode()
def by_network(
    checkpoint: Checkpoint, answers: Answers
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Text vectors and caption logits of the torch network, which captions and learns."""
    network = load_model(checkpoint)
    batch = checkpoint.tokenizer.batch(TEXTS, checkpoint.config.text.context)
    ids, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
    vectors = network.encode_text(ids, valid).numpy()
    rows = len(answers.logits_BTV)
    whole = torch.from_numpy(answers.ids[:rows, :-1])
    text, _ = network.unimodal(whole, torch.ones_like(whole, dtype=torch.bool))
    image = network.encode_image(torch.from_numpy(answers.images_BHWC[:rows])).tokens_BQD
    logits = network.multimodal.output(network.multimodal(text, image))
    return vectors, logits.numpy(), float(network.logit_scale)


def different_ids(checkpoint: Checkpoint, answers: Answers) -> int:
    """How many of the texts get other token ids than from open_clip's tokenizer."""
    context = checkpoint.config.text.context
    ours = [
        checkpoint.tokenizer.encode(text, context) for text in texts_to_tokenise(len(answers.ids))
    ]
    padded = np.array([row + [0] * (context - len(row)) for row in ours])
    return int((padded != answers.ids).any(axis=1).sum())


def pictures_of(model: str) -> int:
    """How many pictures are compared: fewer by the large network."""
    return 6 if model.endswith("32") else 3


def measure(model: str, device: str, most: float) -> bool:
    """Prints one model's line; True where all is within bounds."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["COCADESK_CACHE"] = str(folder / "cache")
        answers = run_reference(folder / model, model, pictures_of(model))
        checkpoint = find_checkpoint(str(folder / model))
        found = compare(checkpoint, answers, device)
        wrong = different_ids(checkpoint, answers)
    seconds = time.perf_counter() - start
    cells = " ".join(f"{found[column]:14.1e}" for column in COLUMNS)
    texts = len(answers.ids)
    print(f"{model:14} {cells}   {wrong} of {texts} texts   {seconds:4.0f} s", flush=True)
    return max(found.values()) <= most and wrong == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="coca_ViT-B-32 alone")
    parser.add_argument("--most", type=float, default=1e-4)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    options = parser.parse_args()
    models = ("coca_ViT-B-32",) if options.quick else ("coca_ViT-B-32", "coca_ViT-L-14")
    print("Largest absolute difference from open_clip, float32")
    header = " ".join(f"{column:>14}" for column in COLUMNS)
    print(f"{'':14} {header}   other token ids", flush=True)
    passed = [measure(model, options.device, options.most) for model in models]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
