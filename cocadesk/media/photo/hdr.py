"""High dynamic range to a common screen: plain tone mapping of PQ and HLG pictures.

Both curves are those of ITU-R BT.2100. Linear light is set so that BT.2408's
reference white (203 cd/m2) becomes the screen's white; what is brighter is
rolled off softly. Without this such frames look grey and pale.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.types import RgbImage

AnyFloat = TypeVar("AnyFloat", np.float32, np.float64)

_WHITE_NITS = 203.0
_PQ_PEAK_NITS = 10_000.0
_HLG_PEAK_NITS = 1_000.0
_HLG_GAMMA = 1.2
_KNEE = 0.75
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
_P3_TO_BT709 = np.array(
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]], np.float32
)
_TO_BT709 = {9: _BT2020_TO_BT709, 11: _P3_TO_BT709, 12: _P3_TO_BT709}


class Curve(Enum):
    """The transfer curve of a frame: from stored values to light."""

    PQ = 16
    HLG = 18


def to_screen(rgb_HWC: NDArray[np.uint16], curve: Curve) -> RgbImage:
    """(H, W, 3) uint16 in BT.2020 with this curve as 8-bit sRGB."""
    light = _linear_table(curve)[rgb_HWC]
    if curve is Curve.HLG:
        luma = np.maximum(light @ _BT2020_LUMA, 1e-6)
        light *= (luma ** (_HLG_GAMMA - 1))[..., None] * (_HLG_PEAK_NITS / _WHITE_NITS)
    light = light @ _BT2020_TO_BT709.T
    peak = np.maximum(light.max(axis=-1), 1e-6)
    light *= (_roll_off(peak) / peak)[..., None]
    # The matrix leaves colours that no common screen has below zero or above one.
    codes = (np.clip(light, 0.0, 1.0) * 4095 + 0.5).astype(np.uint16)
    return _srgb_table()[codes]


def wide_to_screen(rgb_HWC: RgbImage, primaries: int, gamma: float | None = None) -> RgbImage:
    """(H, W, 3) of 8 bits in sRGB's curve and these primaries (ISO/IEC 23091-2) as sRGB.

    ``gamma``: the exponent to light in place of sRGB's curve.
    """
    matrix = _TO_BT709.get(primaries)
    if matrix is None and gamma is None:
        return rgb_HWC
    light = _light_table(gamma)[rgb_HWC]
    if matrix is not None:
        light = light @ matrix.T
    codes = (np.clip(light, 0.0, 1.0) * 4095 + 0.5).astype(np.uint16)
    screen: RgbImage = _srgb_table()[codes]
    return screen


def srgb_curve(light: NDArray[AnyFloat]) -> NDArray[AnyFloat]:
    """Linear light from 0 to 1 as sRGB stores it."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _roll_off(peak: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leaves values up to the knee as they are and brings all others below 1."""
    over = np.maximum(peak - _KNEE, 0.0)
    rolled = _KNEE + (1 - _KNEE) * (1 - np.exp(-over / (1 - _KNEE)))
    return np.where(peak > _KNEE, rolled, peak).astype(np.float32)


@lru_cache(maxsize=2)
def _linear_table(curve: Curve) -> NDArray[np.float32]:
    """Light for each 16-bit code: reference white is 1 (PQ), or scene light up to 1 (HLG)."""
    code = np.linspace(0.0, 1.0, 1 << 16)
    if curve is Curve.PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = code ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
        return (light * (_PQ_PEAK_NITS / _WHITE_NITS)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    high = (np.exp((np.maximum(code, 0.5) - c) / a) + b) / 12
    return np.where(code <= 0.5, code**2 / 3, high).astype(np.float32)


@lru_cache(maxsize=4)
def _light_table(gamma: float | None) -> NDArray[np.float32]:
    """Light for each 8-bit code of sRGB's curve, or of an exponent."""
    code = np.linspace(0.0, 1.0, 256)
    if gamma is not None:
        return (code**gamma).astype(np.float32)
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@lru_cache(maxsize=1)
def _srgb_table() -> NDArray[np.uint8]:
    return np.round(srgb_curve(np.linspace(0.0, 1.0, 4096)) * 255).astype(np.uint8)
