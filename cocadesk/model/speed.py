"""The photos that a model embeds in a second on this machine, measured in a moment.

    python -P -m cocadesk.model.speed SOURCE

prints that number, and ends with its stdin. A released model need not be here: its image side
is built with random weights of its true sizes, of a few layers, and the time of all of them
follows from two depths (a transformer's layers all take the same; checked against whole
networks by ``tests/bench/model_speed.py``). Importing this module imports no torch.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.model.network.coca import CoCa

#: Grows when what is measured changes: older numbers don't count any more.
MEASURE = 2
_DEPTHS = (1, 3)
_RUN_S = 0.3
_RUNS_S = 1.0
_MOST_PICTURES = 64
_BATCH = 8
"""As of a ViT in use (``image_tower``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedSizes:
    """What the speed of a released CoCa's image side depends on."""

    patch_px: int
    width: int
    layers: int
    text_width: int
    size_px: int = 224


RELEASED = {
    "ViT-B-32": ReleasedSizes(patch_px=32, width=768, layers=12, text_width=512),
    "ViT-L-14": ReleasedSizes(patch_px=14, width=1024, layers=24, text_width=768),
}
"""By the end of open_clip's names."""


def released_sizes(source: str) -> tuple[str, ReleasedSizes] | None:
    """Name and sizes of a released CoCa, by its source; None for any other model."""
    for name, sizes in RELEASED.items():
        if f"coca_{name}/" in source or f"CoCa-{name}-" in source:
            return name, sizes
    return None


def measure_key(source: str) -> str:
    """What a measured number holds for: the sizes (else the source), machine and runtimes."""
    known = released_sizes(source)
    runtimes = (f"{name} {_version(name)}" for name in ("torch", "openvino"))
    machine = f"{platform.node()} {platform.machine()} {usable_processors()}"
    return " ".join((known[0] if known else source, machine, *runtimes, str(MEASURE)))


def usable_processors() -> int:
    """The processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def photos_per_second(source: str) -> float:
    """Measures a released model by its sizes, any other one by itself; takes some seconds.

    Raises:
        UserError: it is neither released nor on this machine.
    """
    known = released_sizes(source)
    if known is not None:
        return 1 / seconds_by_depth(known[1])
    from cocadesk.model.backend import open_backend

    with open_backend(source, fetch=False) as backend:
        size_px = backend.info().input_spec.size_px
        return 1 / seconds_a_picture(backend.embed_images, size_px)


def seconds_a_picture(embed: Callable[[NDArray[np.uint8]], object], size_px: int) -> float:
    """The best of some runs of about a third of a second each."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 255, (_MOST_PICTURES, size_px, size_px, 3), np.uint8)
    embed(pictures[:2])  # allocates
    best = _timed(embed, pictures[:2]) / 2
    count = int(np.clip(_RUN_S / best, 2, _MOST_PICTURES))
    end = time.perf_counter() + _RUNS_S
    while True:
        best = min(best, _timed(embed, pictures[:count]) / count)
        if time.perf_counter() >= end:
            return best


def _timed(embed: Callable[[NDArray[np.uint8]], object], pictures: NDArray[np.uint8]) -> float:
    start = time.perf_counter()
    embed(pictures)
    return time.perf_counter() - start


def seconds_by_depth(sizes: ReleasedSizes) -> float:
    """The seconds that all layers take for a picture, from those of a few."""
    few, more = _DEPTHS
    short, long = (seconds_of(sizes, layers) for layers in _DEPTHS)
    # Where the machine did other work during the first, no layer would cost anything.
    layer = max((long - short) / (more - few), long / (4 * more))
    return long + (sizes.layers - more) * layer


def seconds_of(sizes: ReleasedSizes, layers: int) -> float:
    """The seconds a picture of a network of so many layers, by the program's own runtime."""
    from cocadesk.model.checkpoints.checkpoint import stored_state
    from cocadesk.model.device import choose_device
    from cocadesk.model.runtime import openvino
    from cocadesk.model.runtime.openvino_vit import IMAGE_PREFIXES, vit_model
    from cocadesk.model.torch_loading import load_torch

    load_torch()
    from cocadesk.model.runtime.torch import TorchImageTower

    device, network = choose_device().device, image_side(sizes, layers)
    if device != "cpu" or not openvino.available():
        return seconds_a_picture(TorchImageTower(network, device), sizes.size_px)
    half = openvino.has_bfloat16()
    weights = {
        name: weight.detach().numpy()
        for name, weight in stored_state(network).items()
        if name.startswith(IMAGE_PREFIXES)
    }
    model = vit_model(network.config, weights, half=half)
    compiled = openvino.CompiledImages(model, precision="bf16" if half else "f32", batch=_BATCH)
    return seconds_a_picture(compiled, sizes.size_px)


def image_side(sizes: ReleasedSizes, layers: int) -> CoCa:
    """A network with a released one's image side of so many layers, and hardly any texts."""
    import torch

    from cocadesk.model.network.coca import CoCa
    from cocadesk.model.network.config import (
        CocaConfig,
        ImageConfig,
        PoolerConfig,
        PoolerDesign,
        TextConfig,
        Variant,
    )

    torch.manual_seed(0)
    return CoCa(
        CocaConfig(
            embedding_dim=sizes.text_width,
            image=ImageConfig(
                size_px=sizes.size_px,
                patch_px=sizes.patch_px,
                width=sizes.width,
                layers=layers,
                heads=sizes.width // 64,
                mlp_width=4 * sizes.width,
                variant=Variant.OPEN_CLIP,
            ),
            pooler=PoolerConfig(design=PoolerDesign.SHARED, generative_queries=255),
            text=TextConfig(
                vocabulary=3,
                context=40,
                width=sizes.text_width,
                heads=sizes.text_width // 64,
                mlp_width=1,
                unimodal_layers=0,
                multimodal_layers=0,
                variant=Variant.OPEN_CLIP,
            ),
        )
    )


def main() -> int:
    """Prints the number for the source that is named; a person's sentence goes to stderr."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        sys.stdout.write(f"{photos_per_second(sys.argv[1])}\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(2)


if __name__ == "__main__":
    sys.exit(main())
