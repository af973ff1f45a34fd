"""Random crops of a photo, mirrored and relit; crop 0 is the photo as search sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocadesk.media import InputSpec, ResizeMode, prepare_input
from trainer.config import FeatureConfig


def make_crop(
    rgb_HWC: NDArray[np.uint8], size_px: int, config: FeatureConfig, seed: tuple[int, ...]
) -> NDArray[np.uint8]:
    """(S, S, 3) uint8; the same seed gives the same crop."""
    random = np.random.default_rng(seed)
    crop = _squash(_random_crop(rgb_HWC, config.min_area, random), size_px)
    if config.mirror and random.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    return _change_light(crop, config.light, random) if config.light else crop


def plain_crop(rgb_HWC: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """The whole picture squashed to a square."""
    return _squash(rgb_HWC, size_px)


def _squash(rgb_HWC: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    return prepare_input(rgb_HWC, InputSpec(size_px=size_px, resize=ResizeMode.SQUASH))


def _random_crop(
    rgb_HWC: NDArray[np.uint8], min_area: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    height, width = rgb_HWC.shape[:2]
    area = random.uniform(min_area, 1.0)
    ratio = np.exp(random.uniform(-0.25, 0.25))
    crop_w = int(np.clip(width * np.sqrt(area * ratio), 1, width))
    crop_h = int(np.clip(height * np.sqrt(area / ratio), 1, height))
    left = int(random.integers(0, width - crop_w + 1))
    top = int(random.integers(0, height - crop_h + 1))
    return np.asarray(rgb_HWC[top : top + crop_h, left : left + crop_w], np.uint8)


def _change_light(
    rgb_HWC: NDArray[np.uint8], strength: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Brightness, contrast and saturation, each within 1 ± strength."""
    brightness, contrast, saturation = random.uniform(1 - strength, 1 + strength, 3)
    pixels = rgb_HWC.astype(np.float32) * brightness
    pixels = (pixels - pixels.mean()) * contrast + pixels.mean()
    grey = pixels.mean(2, keepdims=True)
    return np.asarray(np.clip((pixels - grey) * saturation + grey, 0, 255), np.uint8)
