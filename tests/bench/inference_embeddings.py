"""What ``inference.py`` measures of pictures' and texts' vectors beside their speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.media.photo.decode import decode_photo
from cocadesk.model.network.coca import CoCa
from cocadesk.model.runtime import openvino as openvino_runtime
from cocadesk.model.runtime.image_tower import OpenVinoImageTower
from cocadesk.model.runtime.openvino_vit import vit_model
from cocadesk.model.runtime.torch import TorchImageTower
from cocadesk.picture_input import InputSpec
from cocadesk.resources import resource_path
from cocadesk.vectors import unit_vectors

ROOT = Path(__file__).resolve().parents[2]
_FAR = 6
"""The channels of the residual stream that lie far beyond the rest."""
_CHUNK = 8


def sample_photos(spec: InputSpec, count: int) -> NDArray[np.uint8]:
    """Photos of the samples as the model gets them."""
    files = sorted((resource_path("samples") / "photos").iterdir())
    read = [decode_photo(file, spec) for file in files[:count]]
    return np.stack([photo.input_HWC for photo in read])


def with_far_channels(model: CoCa) -> CoCa:
    """The network as training makes ViTs: a few channels of the residual stream are 60 times
    the median and more, norms differ by channel and rows of matrices in size.
    """
    generator = torch.Generator().manual_seed(5)
    encoder = model.image_encoder
    width = encoder.config.width
    far = torch.randperm(width, generator=generator)[:_FAR]

    def varied(weight: torch.Tensor, *shape: int) -> torch.nn.Parameter:
        spread = torch.randn(*shape, generator=generator)
        return torch.nn.Parameter(weight.detach() * torch.exp(0.4 * spread))

    for number, layer in enumerate(encoder.layers):
        for norm in (layer.attention_norm, layer.mlp_norm):
            norm.weight = varied(norm.weight, width)
            if number > 2:
                norm.weight.data[far] *= 0.1
        for linear in (layer.attention.query, layer.attention.key_value, layer.mlp[0]):
            linear.weight = varied(linear.weight, len(linear.weight), 1)
        if number in (1, 2):
            linear = layer.mlp[2]
            weight, bias = linear.weight.detach().clone(), linear.bias.detach().clone()
            weight[far] *= 20
            bias[far] += 40 * torch.randn(_FAR, generator=generator).sign()
            linear.weight, linear.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)
    context = model.generative_pooler.context_norm
    context.weight = torch.nn.Parameter(context.weight.detach().clone())
    context.weight.data[far] *= 0.1
    return model


def half_cosines(model: CoCa, images_BHWC: NDArray[np.uint8]) -> tuple[float, float]:
    """The smallest cosine of a vector and of one of a picture's tokens, bfloat16 to float32."""
    weights = {name: weight.detach().numpy() for name, weight in model.state_dict().items()}
    with tempfile.TemporaryDirectory() as name:
        saved = Path(name) / "half.xml"
        openvino_runtime.save(vit_model(model.config, weights, half=True), saved)
        tower = OpenVinoImageTower(saved, "bfloat16", batch=_CHUNK)
        found = tower(images_BHWC)
    exact = TorchImageTower(model, "cpu")
    least = [1.0, 1.0]
    for start in range(0, len(images_BHWC), _CHUNK):
        rows = slice(start, start + _CHUNK)
        for number, (one, other) in enumerate(zip(found, exact(images_BHWC[rows]), strict=True)):
            cosines = (unit_vectors(one[rows]) * unit_vectors(other)).sum(-1)
            least[number] = min(least[number], float(cosines.min()))
    return least[0], least[1]


def peak_mb(source: Path, precision: str, *, captions: bool, cache: Path) -> float:
    """The most memory of a process that opens a model, embeds and asks, and perhaps captions."""
    command = [sys.executable, "-P", "-m", __name__, str(source), precision]
    answer = subprocess.run(
        [*command, *(["captions"] if captions else [])],
        env=os.environ | {"PYTHONPATH": str(ROOT), "COCADESK_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(answer.stdout.splitlines()[-1]))


def _main(arguments: Sequence[str]) -> None:
    """In a process of its own: what ``peak_mb`` asks for."""
    from cocadesk.model.runtime.coca_backend import CocaBackend
    from cocadesk.model.source import find_checkpoint
    from cocadesk.model.values import GenerationOptions
    from tests.bench.parity import EXACT

    source, precision, *rest = arguments
    limits = EXACT if precision == "float32" else None
    with CocaBackend(find_checkpoint(source), "cpu", limits=limits) as backend:
        images = sample_photos(backend.info().input_spec, 16)
        backend.embed_images(images)
        backend.embed_texts(["two dogs on a beach"])
        if rest:
            backend.caption(images[:8], GenerationOptions(beams=1))
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")))


if __name__ == "__main__":
    _main(sys.argv[1:])
