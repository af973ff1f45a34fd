"""Pictures to vectors and pooled tokens: OpenVINO where it agrees and is faster, else torch.

And there in bfloat16 behind the first layers, where the CPU has it, under the same conditions.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.checkpoint import Checkpoint
from cocadesk.model.device import DeviceChoice
from cocadesk.model.ids import ModelIds
from cocadesk.model.network.config import ImageEncoderKind, PoolerDesign
from cocadesk.model.runtime import openvino as openvino_runtime
from cocadesk.model.values import RuntimeLimits
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    from cocadesk.model.network.coca import CoCa
    from cocadesk.model.runtime.torch import TorchImageTower

log = logging.getLogger(__name__)
#: Grows when the network's code or its conversion changes: kept conversions are made anew.
CONVERSION = 3

Pooled = tuple[NDArray[np.float32], NDArray[np.float32]]


class ImageTower(Protocol):
    """(B, S, S, 3) uint8 → vectors (B, E) and the decoder's tokens (B, Q, D), float32."""

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled: ...


def open_image_tower(
    checkpoint: Checkpoint,
    ids: ModelIds,
    device: DeviceChoice,
    load: Callable[[], CoCa],
    limits: RuntimeLimits,
) -> ImageTower:
    """The fastest tower that gives this checkpoint's vectors on this device.

    ``load`` gives the network in torch, where it is needed. The first opening
    converts and compares (some seconds); the verdict and the converted model are
    kept in the cache folder, so later ones need no torch.
    """
    image = checkpoint.config.image
    gains = image.kind is ImageEncoderKind.EFFICIENTNET_LITE or image.width >= limits.large_vit
    if device.device != "cpu" or not gains or not openvino_runtime.available():
        return _in_torch(load(), device.device)
    # Where the image id covers both poolers, a model that has learned words keeps its tower.
    is_covered = checkpoint.config.pooler.design is not PoolerDesign.PARALLEL
    tower_id = ids.image_id if is_covered else ids.model_id
    name = f"{tower_id}-{CONVERSION}-openvino-{version('openvino')}"
    path = cache_folder() / "compiled" / f"{name}.xml"
    verdict = path.with_suffix(".json")
    if verdict.exists() and path.exists():
        if _is_accepted(_read(verdict), limits.min_cosine):
            return _in_openvino(path, image.size_px, limits)
        return _in_torch(load(), device.device)
    torch_tower = _in_torch(load(), "cpu")
    try:
        tower = _convert(torch_tower, image.size_px, path, verdict, limits)
    except RuntimeError as error:  # OpenVINO's only exception type
        log.warning("OpenVINO cannot run this model, torch does: %s", error)
        return torch_tower
    if tower is torch_tower or not path.exists():
        return tower
    return _in_openvino(path, image.size_px, limits)


def _in_torch(model: CoCa, device: str) -> TorchImageTower:
    from cocadesk.model.runtime.torch import TorchImageTower

    return TorchImageTower(model, device)


def _in_openvino(path: Path, size_px: int, limits: RuntimeLimits) -> OpenVinoImageTower:
    """The model saved at ``path``: in bfloat16 where that agrees with float32 and is faster."""
    if not openvino_runtime.has_bfloat16():
        return OpenVinoImageTower(path)
    verdict = path.with_suffix(".bfloat16")
    if verdict.exists() and not _is_accepted(_read(verdict), limits.min_half_cosine):
        return OpenVinoImageTower(path)
    try:
        halves = openvino_runtime.halves(path, size_px)
        if halves is None:
            return OpenVinoImageTower(path)
        tower = OpenVinoImageTower(path, halves)
        if verdict.exists():
            return tower
        plain = OpenVinoImageTower(path)
        found = _compare(plain, tower, size_px, turns=2)
    except RuntimeError as error:  # OpenVINO's only exception type
        log.warning("OpenVINO cannot run this model in bfloat16: %s", error)
        return OpenVinoImageTower(path)
    log.info("bfloat16 against float32: %s", found)
    _keep(found, verdict)
    return tower if _is_accepted(found, limits.min_half_cosine) else plain


def _convert(
    torch_tower: TorchImageTower, size_px: int, path: Path, verdict: Path, limits: RuntimeLimits
) -> ImageTower:
    converted = openvino_runtime.convert(torch_tower.module, size_px)
    try:
        openvino_runtime.save(converted, path)
        tower = OpenVinoImageTower(path)
    except OSError as error:
        # A full or read-only cache folder costs the next start some seconds, no more.
        log.warning("The compiled model could not be kept in %s: %s", path.parent, error)
        tower = OpenVinoImageTower(converted)
    found = _compare(torch_tower, tower, size_px)
    log.info("OpenVINO against torch: %s", found)
    _keep(found, verdict)
    return tower if _is_accepted(found, limits.min_cosine) else torch_tower


def _read(verdict: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(verdict.read_text("utf-8"))
    return found


def _keep(found: dict[str, float], verdict: Path) -> None:
    try:
        fresh = verdict.with_name(f"{verdict.name}.new")
        fresh.write_text(json.dumps(found), "utf-8")
        fresh.replace(verdict)
    except OSError as error:
        log.warning("The comparison could not be kept: %s", error)


def _is_accepted(found: dict[str, float], min_cosine: float) -> bool:
    return found["cosine"] >= min_cosine and found["speedup"] > 1


def _compare(
    first: ImageTower, second: ImageTower, size_px: int, *, turns: int = 1
) -> dict[str, float]:
    """Smallest cosine of vectors and of pooled tokens, and how much faster ``second`` is.

    Times are the best of so many turns.
    """
    images = test_pictures(size_px)
    second(images)  # the first call also allocates
    seconds: list[list[float]] = [[], []]
    for _ in range(turns):
        start = time.perf_counter()
        there = first(images)
        middle = time.perf_counter()
        here = second(images)
        seconds[0].append(middle - start)
        seconds[1].append(time.perf_counter() - middle)
    cosines = [float(_cosine(a, b).min()) for a, b in zip(there, here, strict=True)]
    return {"cosine": min(cosines), "speedup": min(seconds[0]) / min(seconds[1])}


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    a, b = unit_vectors(a.reshape(len(a), -1)), unit_vectors(b.reshape(len(b), -1))
    return np.asarray((a * b).sum(1), np.float32)


def test_pictures(size_px: int) -> NDArray[np.uint8]:
    """Eight made-up pictures: smooth colours with edges and some noise."""
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 1, size_px, dtype=np.float32)
    pictures = []
    for _ in range(8):
        waves = random.uniform(1, 12, (3, 2))
        picture = [np.sin(ramp[:, None] * a * 6) * np.cos(ramp[None] * b * 6) for a, b in waves]
        picture_HWC = np.stack(picture, -1) * 100 + 128
        picture_HWC[size_px // 4 : size_px // 2, size_px // 3 :] = random.uniform(0, 255, 3)
        noise = random.normal(0, 12, picture_HWC.shape)
        pictures.append(np.clip(picture_HWC + noise, 0, 255).astype(np.uint8))
    return np.stack(pictures)


class OpenVinoImageTower:
    """The tower compiled by OpenVINO from a saved model (path) or a converted one.

    With its ``halves`` the second is computed in bfloat16.
    """

    def __init__(self, model: object, halves: tuple[object, object] | None = None) -> None:
        self._compiled = openvino_runtime.CompiledImages(model, halves=halves)
        self.precision = "float32" if halves is None else "bfloat16"

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        vector, tokens = self._compiled(images_BHWC)
        return vector, tokens
