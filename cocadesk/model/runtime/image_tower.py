"""Pictures to vectors and pooled tokens: OpenVINO where it agrees and is faster, else torch."""

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
        if _is_accepted(json.loads(verdict.read_text("utf-8")), limits):
            return OpenVinoImageTower(path)
        return _in_torch(load(), device.device)
    torch_tower = _in_torch(load(), "cpu")
    try:
        return _convert(torch_tower, checkpoint.config.image.size_px, path, verdict, limits)
    except RuntimeError as error:  # OpenVINO's only exception type
        log.warning("OpenVINO cannot run this model, torch does: %s", error)
        return torch_tower


def _in_torch(model: CoCa, device: str) -> TorchImageTower:
    from cocadesk.model.runtime.torch import TorchImageTower

    return TorchImageTower(model, device)


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
    try:
        fresh = verdict.with_suffix(".new")
        fresh.write_text(json.dumps(found), "utf-8")
        fresh.replace(verdict)
    except OSError as error:
        log.warning("The comparison could not be kept: %s", error)
    return tower if _is_accepted(found, limits) else torch_tower


def _is_accepted(found: dict[str, float], limits: RuntimeLimits) -> bool:
    return found["cosine"] >= limits.min_cosine and found["speedup"] > 1


def _compare(first: ImageTower, second: ImageTower, size_px: int) -> dict[str, float]:
    """Smallest cosine of vectors and of pooled tokens, and how much faster ``second`` is."""
    images = _test_pictures(size_px)
    second(images)  # the first call also allocates
    start = time.perf_counter()
    there = first(images)
    middle = time.perf_counter()
    here = second(images)
    end = time.perf_counter()
    cosines = [float(_cosine(a, b).min()) for a, b in zip(there, here, strict=True)]
    return {"cosine": min(cosines), "speedup": (middle - start) / (end - middle)}


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    a, b = unit_vectors(a.reshape(len(a), -1)), unit_vectors(b.reshape(len(b), -1))
    return np.asarray((a * b).sum(1), np.float32)


def _test_pictures(size_px: int) -> NDArray[np.uint8]:
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
    """The tower compiled by OpenVINO from a saved model (path) or a converted one."""

    def __init__(self, model: object) -> None:
        self._compiled = openvino_runtime.CompiledImages(model)

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        vector, tokens = self._compiled(images_BHWC)
        return vector, tokens
