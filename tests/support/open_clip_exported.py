"""open_clip itself reads a folder (``local-dir:``) and answers, in a process of its own.

    python -P -m tests.support.open_clip_exported FOLDER ASKED ANSWERS

ASKED has pictures (``images_BHWC`` uint8, of the network's size) and ``texts``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.open_clip_reference import ROOT, import_open_clip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAnswers:
    """Unit vectors, the decoder's tokens, and its logits (B, 75, V) for one text a picture."""

    image_BE: NDArray[np.float32]
    tokens_BQD: NDArray[np.float32]
    text_BE: NDArray[np.float32]
    logits_BTV: NDArray[np.float32]
    size_px: int


def ask_open_clip(
    folder: Path, images_BHWC: NDArray[np.uint8], texts: Sequence[str], scratch: Path
) -> ExportAnswers:
    """What open_clip answers with the model of a folder.

    Raises:
        RuntimeError: it can't read it; its last words are in the message.
    """
    np.savez(scratch / "asked.npz", images_BHWC=images_BHWC, texts=np.array(texts))
    names = (folder, scratch / "asked.npz", scratch / "answered.npz")
    child = subprocess.run(
        [sys.executable, "-P", "-m", __name__, *map(str, names)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        raise RuntimeError(f"open_clip did not answer: {child.stderr[-2000:]}")
    with np.load(scratch / "answered.npz") as found:
        arrays = {name: found[name] for name in found.files}
    return ExportAnswers(**arrays | {"size_px": int(arrays["size_px"])})


def main(folder: str, asked: str, answers: str) -> None:
    open_clip = import_open_clip()
    import torch

    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    network.eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with np.load(asked) as given:
        images, texts = torch.from_numpy(given["images_BHWC"]), given["texts"].tolist()
    normalised = transform.transforms[-1](images.permute(0, 3, 1, 2).float() / 255)
    ids = tokenizer(texts)
    with torch.inference_mode():
        vectors, tokens = network._encode_image(normalised)
        rows = min(len(texts), len(images))
        np.savez(
            answers,
            image_BE=vectors.numpy(),
            tokens_BQD=tokens.numpy(),
            text_BE=network.encode_text(ids).numpy(),
            logits_BTV=network(normalised[:rows], ids[:rows])["logits"].numpy(),
            size_px=network.visual.image_size[0],
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
