"""open_clip's own CLIP and SigLIP with random weights, in a process of its own: what they answer.

    python -P -m tests.support.open_clip_towers FOLDER KIND PHOTOS

writes into FOLDER what open_clip's ``local-dir:`` reads (weights, ``open_clip_config.json``, a
tokenizer where the kind needs one) and ``answers.npz``. KIND is one of ``KINDS``; PHOTOS is a
folder of photos, which open_clip reads by Pillow and its own transform.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.open_clip_reference import SAFE, answers_of_child, import_open_clip

TEXTS = (
    "a dog",
    "Two children play with a RED ball.",
    "",
    "hello , world !!!",
    "a very long one " + "dog cat " * 90,
)
_CLIP_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2}
_CLIP_VISION = {"image_size": 96, "layers": 2, "width": 96, "patch_size": 16, "head_width": 32}
_SIGLIP_TEXT = {
    "context_length": 16,
    "vocab_size": 64,
    "hf_tokenizer_name": "nobody/nothing",
    "tokenizer_kwargs": {"clean": "canonicalize"},
    "width": 64,
    "heads": 4,
    "layers": 2,
    "no_causal_mask": True,
    "proj_bias": True,
    "pool_type": "last",
    "norm_kwargs": {"eps": 1e-6},
}
_WORDS = (
    *("<unk>", "</s>", "<pad>", "a", "dog", "two", "children", "play", "with", "red", "ball"),
    *("cat", "very", "long", "one", "hello", "world"),
)
_HALF = [0.5, 0.5, 0.5]
KINDS: dict[str, dict[str, Any]] = {
    "clip": {
        "model_cfg": {"embed_dim": 64, "vision_cfg": _CLIP_VISION, "text_cfg": _CLIP_TEXT},
        "preprocess_cfg": {},
    },
    "quick": {
        "model_cfg": {
            "embed_dim": 64,
            "quick_gelu": True,
            "vision_cfg": _CLIP_VISION,
            "text_cfg": _CLIP_TEXT,
        },
        "preprocess_cfg": {
            "mean": _HALF,
            "std": [0.3, 0.25, 0.2],
            "interpolation": "bilinear",
            "resize_mode": "longest",
            "fill_color": 40,
        },
    },
    "siglip": {
        "model_cfg": {
            "embed_dim": 64,
            "init_logit_bias": -10,
            "custom_text": True,
            "vision_cfg": {
                "image_size": 160,
                "timm_model_name": "test_vit",
                "timm_model_pretrained": False,
                "timm_pool": "map",
                "timm_proj": "none",
            },
            "text_cfg": _SIGLIP_TEXT,
        },
        "preprocess_cfg": {
            "mean": _HALF,
            "std": _HALF,
            "interpolation": "bicubic",
            "resize_mode": "squash",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerAnswers:
    """Unit vectors of pixels, of photos by open_clip's own transform, and of texts.

    ``photo_pixels`` are those that its transform gave, (N, S, S, 3) uint8.
    """

    images_BHWC: NDArray[np.uint8]
    image_BE: NDArray[np.float32]
    photo_pixels: NDArray[np.uint8]
    photo_NE: NDArray[np.float32]
    text_BE: NDArray[np.float32]


def run_towers(folder: Path, kind: str, photos: Path) -> TowerAnswers:
    """Runs this module in a child process and reads what it wrote.

    Raises:
        RuntimeError: the child failed; its last words are in the message.
    """
    return TowerAnswers(**answers_of_child(__name__, folder, kind, str(photos)))


def write_tokenizer(folder: Path) -> None:
    """A small tokenizer with an end mark and a padding of its own, as SigLIP's has."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    ids = {word: number for number, word in enumerate(_WORDS)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", ids["</s>"])]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"pad_token": {"content": "<pad>"}, "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


def siglip_ids(texts: tuple[str, ...], length: int) -> list[list[int]]:
    """The ids of texts by that tokenizer, counted out by hand: lower case, no punctuation."""
    import string

    rows = []
    for text in texts:
        plain = text.translate(str.maketrans("", "", string.punctuation)).lower().split()
        ids = [_WORDS.index(word) if word in _WORDS else 0 for word in plain][: length - 1]
        rows.append([*ids, 1, *([2] * (length - 1 - len(ids)))])
    return rows


def _randomise(network: Any) -> None:
    """Weights so wide that two photos are told apart, and every bias has its own value."""
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim < 1 or name.startswith("logit"):
                continue
            noise = torch.randn(weight.shape, generator=generator)
            if weight.ndim == 1:
                is_scale = name.endswith("weight")
                weight.copy_(0.1 * noise + (1 if is_scale else 0))
            else:
                fan = weight[0].numel()
                weight.copy_(noise * (1.5 * fan**-0.5))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind")
    parser.add_argument("photos", type=Path)
    options = parser.parse_args()
    open_clip = import_open_clip()
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    settings = json.loads(json.dumps(KINDS[options.kind]))
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(settings), "utf-8")
    config = dict(settings["model_cfg"])
    is_custom = config.pop("custom_text", False)
    network = (open_clip.CustomTextCLIP if is_custom else open_clip.CLIP)(**config)
    _randomise(network)
    save_file({name: w.contiguous() for name, w in network.state_dict().items()}, folder / SAFE)
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    network.eval()
    normalise = transform.transforms[-1]
    size = settings["model_cfg"]["vision_cfg"]["image_size"]
    generator = torch.Generator().manual_seed(2)
    coarse = torch.rand((4, 3, 7, 7), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)
    images = (smooth * 255).to(torch.uint8)
    photos = [Image.open(path).convert("RGB") for path in sorted(options.photos.iterdir())]
    if "hf_tokenizer_name" in settings["model_cfg"]["text_cfg"]:
        write_tokenizer(folder)
        ids = torch.tensor(siglip_ids(TEXTS, settings["model_cfg"]["text_cfg"]["context_length"]))
    else:
        ids = open_clip.get_tokenizer(f"local-dir:{folder}")(list(TEXTS))
    with torch.inference_mode():
        seen = torch.stack([transform(photo) for photo in photos])
        mean, std = torch.tensor(normalise.mean), torch.tensor(normalise.std)
        pixels = (seen.permute(0, 2, 3, 1) * std + mean) * 255
        np.savez(
            folder / "answers.npz",
            images_BHWC=images.permute(0, 2, 3, 1).contiguous().numpy(),
            image_BE=network.encode_image(normalise(images.float() / 255), normalize=True).numpy(),
            photo_pixels=pixels.round().clamp(0, 255).to(torch.uint8).numpy(),
            photo_NE=network.encode_image(seen, normalize=True).numpy(),
            text_BE=network.encode_text(ids, normalize=True).numpy(),
        )


if __name__ == "__main__":
    main()
