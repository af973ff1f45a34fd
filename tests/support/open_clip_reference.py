"""open_clip's own CoCa with random weights, in a process of its own: what it answers.

    python -P -m tests.support.open_clip_reference FOLDER MODEL PICTURES [--pickle]

writes into FOLDER a state dict, ``open_clip_config.json`` and ``answers.npz``. MODEL is
``coca_ViT-B-32``, ``coca_ViT-L-14`` or ``tiny``; ``local-dir:PATH`` is one that was exported, and
of it come the answers alone. Only this process imports open_clip
(which imports torchvision); the parent loads what it wrote through our own door.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[2]
SAFE, PICKLED = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
#: The first ones are embedded and captioned; all are tokenised.
TEXTS = (
    "a dog",
    "Two children play with a RED ball.",
    "",
    "an inner \"!' mark, then something very long " + "dog " * 90,
    "word " * 72 + "fills it",
    "hello , world !!!",
)
NASTY = (
    "!",
    "\"!\" '!x' #! !¡",
    "don't we're I'LL he's 'Ssss 'ſ x'ſ it’s ‘quoted’ “double”",
    "2024 ½ ² ٣٤ 〇 1st 2nd",
    "日本語のテキスト ﾊﾝｶｸ Ａ１",
    "🐶👩‍👩‍👧 zwj\u200d I❤️NY",
    "İstanbul ΣΑΣ ß ẞ K Å ǅ ﬁ ﬂ ﷺ",
    "sch&amp;ouml;n &lt;b&gt; &amp;amp;",
    "âœ” schÃ¶n â€œquotesâ€\x9d",
    "<start_of_text> a <end_of_text> b <|endoftext|> <END_OF_TEXT>",
    "a\x00b\x01\x7f\ufeffbom",
    "tab\tnew\nline\r\n\u2028\u00a0nb\x85next",
    "x" * 500,
    "a_b__c http://a.b/c?d=e&f=g #hashtag @user C++ .NET",
    "e\u0301 vs é a\u0345 \u202eRTL עברית العربية हिन्दी",
    "...---... — – ‐ ' '' ' s",
    "</w> <w> Ġ Ċ Ã©",
    "\U0001f600" * 40,
)


def texts_to_tokenise(count: int = 1500) -> list[str]:
    """The named texts and made-up ones of mixed scripts, always the same."""
    chance = random.Random(0)
    alphabets = (
        "abc XYZ'!?.,-",
        "0123 ²½٣",
        "áéíNÀßſİıΣς",
        "日本語한글कख",
        "\u200d\u200b\ufe0f🐶👍🏽",
        "<>&;ampltgt_/",
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ",
    )
    ranges = ((32, 0x2FF), (0x300, 0x2FFF), (0x3000, 0xD7FF), (0x10000, 0x1FFFF))
    texts = [*TEXTS, *NASTY]
    while len(texts) < count:
        letters = "".join(chance.sample(alphabets, 2))
        letters += "".join(chr(chance.randint(*chance.choice(ranges))) for _ in range(4))
        length = chance.randint(1, 60)
        texts.append("".join(chance.choice(letters) for _ in range(length)))
    return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What open_clip gives: unit vectors, decoder tokens, logits (B, 75, V) and token ids.

    ``size_px`` is that of the pictures that its network takes.
    """

    images_BHWC: NDArray[np.uint8]
    image_BE: NDArray[np.float32]
    tokens_BQD: NDArray[np.float32]
    text_BE: NDArray[np.float32]
    logits_BTV: NDArray[np.float32]
    ids: NDArray[np.int64]
    logit_scale: float
    size_px: int


def run_reference(folder: Path, model: str, pictures: int, *, pickled: bool = False) -> Answers:
    """Runs this module in a child process and reads what it wrote.

    Raises:
        RuntimeError: the child failed; its last words are in the message.
    """
    more = ["--pickle"] if pickled else []
    found = answers_of_child(__name__, folder, model, str(pictures), *more)
    scale, size_px = float(found["logit_scale"]), int(found["size_px"])
    return Answers(**found | {"logit_scale": scale, "size_px": size_px})


def answers_of_child(module: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """The arrays that a module, run as a child process, wrote into a folder.

    Raises:
        RuntimeError: the child failed; its last words are in the message.
    """
    child = subprocess.run(
        [sys.executable, "-P", "-m", module, str(folder), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        raise RuntimeError(f"open_clip did not answer: {child.stderr[-2000:]}")
    with np.load(folder / "answers.npz") as found:
        return {name: found[name] for name in found.files}


def import_open_clip() -> Any:
    """open_clip, also where torchvision's compiled part does not fit the installed torch.

    PyPI's torchvision is built for CUDA; beside a CPU build of torch it stops at two
    operators that nobody here calls. Declaring them is enough. Never in the program.
    """
    import torch

    try:
        import torchvision  # type: ignore[import-untyped]  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        _KEPT.append(torch.library.Library("torchvision", "DEF"))
        for name in ("nms", "qnms"):
            _KEPT[0].define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import open_clip  # type: ignore[import-untyped]

    return open_clip


_KEPT: list[torch.library.Library] = []


def model_settings(model: str) -> dict[str, Any]:
    """The ``model_cfg`` of a model: open_clip's own, or a tiny one of the same structure."""
    if model != "tiny":
        from cocadesk.model.tokenizers.clip import data_file

        path = data_file().parent / "model_configs" / f"{model}.json"
        settings: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return settings
    text = {"context_length": 76, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2}
    return {
        "embed_dim": 64,
        "vision_cfg": {
            "image_size": 64,
            "patch_size": 16,
            "width": 96,
            "head_width": 32,
            "layers": 2,
            "attentional_pool": True,
            "attn_pooler_queries": 9,
            "attn_pooler_heads": 2,
            "output_tokens": True,
        },
        "text_cfg": text | {"embed_cls": True, "output_tokens": True},
        "multimodal_cfg": text | {"layers": 3},
        "custom_text": True,
    }


def _randomise(network: torch.nn.Module) -> None:
    """Every bias, norm and the scale get their own values, so that a swap is noticed."""
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            if name == "logit_scale":
                weight.fill_(3.7)
            elif weight.ndim == 1:
                weight.copy_(0.2 * noise + (1 if name.endswith("weight") else 0))
            else:
                is_table = "embedding" in name
                fan = min(len(weight), weight[0].numel())
                weight.copy_(noise.mul_(0.02 if is_table else fan**-0.5))


def random_network(open_clip: Any, settings: dict[str, Any]) -> Any:
    """open_clip's CoCa of these settings, the same random weights each time."""
    parts = {name: settings[f"{name}_cfg"] for name in ("vision", "text", "multimodal")}
    with _no_initial_values():
        network = open_clip.coca_model.CoCa(
            embed_dim=settings["embed_dim"], **{f"{name}_cfg": cfg for name, cfg in parts.items()}
        ).eval()
    _randomise(network)
    return network


def save_network(network: Any, folder: Path, *, is_pickled: bool = False) -> None:
    """Writes the state dict of a network into a folder, as its makers do."""
    import torch
    from safetensors.torch import save_file

    state = {name: weight.contiguous() for name, weight in network.state_dict().items()}
    if is_pickled:
        torch.save(state, folder / PICKLED)
    else:
        save_file(state, folder / SAFE)


@contextmanager
def _no_initial_values() -> Iterator[None]:
    """Leaves weights as they are made: they get other values anyway, and large ones take long."""
    import torch

    names = [name for name in dir(torch.nn.init) if name.endswith("_") and name[0] != "_"]
    kept = {name: getattr(torch.nn.init, name) for name in names}
    for name in names:
        setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(torch.nn.init, name, function)


def pictures(count: int, size_px: int, seed: int = 2) -> torch.Tensor:
    """Made-up pictures (B, S, S, 3) uint8 of smooth colours."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((count, 3, 7, 7), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (size_px, size_px), mode="bicubic")
    return (smooth.clamp(0, 1) * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def normalised(images_BHWC: torch.Tensor) -> torch.Tensor:
    """Pictures as open_clip's image tower takes them, (B, 3, S, S) float32."""
    import torch

    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    return ((images_BHWC.float() / 255 - mean) / std).permute(0, 3, 1, 2)


def answer(open_clip: Any, network: Any, settings: dict[str, Any], count: int) -> dict[str, Any]:
    """The fields of ``Answers`` for so many pictures."""
    images = pictures(count, settings["vision_cfg"]["image_size"])
    tokenizer = open_clip.SimpleTokenizer(context_length=76)
    return _answered(network, tokenizer, images, normalised(images), texts_to_tokenise())


def answer_of_exported(open_clip: Any, source: str, count: int) -> dict[str, Any]:
    """The same by the model of a folder (``local-dir:PATH``), with the settings that lie in it."""
    network, _, transform = open_clip.create_model_and_transforms(source)
    images = pictures(count, network.visual.image_size[0])
    inputs = transform.transforms[-1](images.permute(0, 3, 1, 2).float() / 255)
    tokenizer = open_clip.get_tokenizer(source)
    return _answered(network.eval(), tokenizer, images, inputs, texts_to_tokenise(200))


def _answered(
    network: Any, tokenizer: Any, images: torch.Tensor, inputs: torch.Tensor, texts: list[str]
) -> dict[str, Any]:
    import torch

    ids = tokenizer(texts)
    with torch.inference_mode():
        vectors, tokens = network._encode_image(inputs)
        vectors_of_texts = network.encode_text(ids[: len(TEXTS)])
        rows = min(len(images), len(TEXTS))
        logits = network(inputs[:rows], ids[:rows])["logits"]
    return {
        "images_BHWC": images.numpy(),
        "image_BE": vectors.numpy(),
        "tokens_BQD": tokens.numpy(),
        "text_BE": vectors_of_texts.numpy(),
        "logits_BTV": logits.numpy(),
        "ids": ids.numpy(),
        "logit_scale": network.logit_scale.exp().item(),
        "size_px": images.shape[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model")
    parser.add_argument("pictures", type=int)
    parser.add_argument("--pickle", action="store_true")
    options = parser.parse_args()
    open_clip = import_open_clip()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    if options.model.startswith("local-dir:"):
        found = answer_of_exported(open_clip, options.model, options.pictures)
        np.savez(folder / "answers.npz", **found)
        return
    settings = model_settings(options.model)
    network = random_network(open_clip, settings)
    np.savez(folder / "answers.npz", **answer(open_clip, network, settings, options.pictures))
    save_network(network, folder, is_pickled=options.pickle)
    if options.model == "tiny":
        beside = {"model_cfg": settings, "preprocess_cfg": {"mean": MEAN, "std": STD}}
        (folder / "open_clip_config.json").write_text(json.dumps(beside), "utf-8")


if __name__ == "__main__":
    main()
