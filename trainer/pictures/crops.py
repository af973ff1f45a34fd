"""Random crops of a picture, as training sees it: a pure function of picture, kind and seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.photo.resize import squash
from trainer.config import CropKind, FeatureConfig


def make_crop(
    rgb_HWC: NDArray[np.uint8],
    size_px: int,
    config: FeatureConfig,
    seed: tuple[int, ...],
    kind: CropKind = CropKind.CROP,
) -> NDArray[np.uint8]:
    """(S, S, 3) uint8; the same seed gives the same crop, and a plain one needs none."""
    if kind is CropKind.PLAIN:
        return squash(rgb_HWC, size_px)
    random = np.random.default_rng(seed)
    is_low = kind is CropKind.LOW
    area = config.low_min_area if is_low else config.min_area
    crop = _random_crop(rgb_HWC, area, random)
    if is_low:
        # Log-uniform: as many pictures between 28 and 40 px as between 56 and 80.
        low, high = config.low_px
        crop = squash(crop, int(np.exp(random.uniform(np.log(low), np.log(high)))))
    crop = squash(crop, size_px)
    if config.mirror and random.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    return _change_light(crop, config.light, random) if config.light else crop


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
