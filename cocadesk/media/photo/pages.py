"""Pages of text, screens and drawings: told from photos, and compared at full size.

A photo of 128 pixels still shows all that tells it from another; of a bill it shows grey lines
on white, which are those of the next month's bill.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.opencv import cv2

_GROUND_LEAST, _GROUND_WIDTH, _LIGHT, _LIGHT_LEAST = 0.55, 13, 225, 0.6
"""A page has more than half its places at nearly one brightness, or most of them white."""
_WINDOW_PX, _LEFT_MOST = 3, 10.0
"""What a save may leave of a page at the size of its thumbnail: letters, bills and slides of one
form differ there by 35 of 256 and more, by 12 where one digit differs; most saves by up to 8."""


def is_page(grey_HW: NDArray[np.uint8]) -> bool:
    """True for paper with text on it, a screen of text, a slide or a chart."""
    shares = np.bincount(grey_HW.ravel(), minlength=256) / grey_HW.size
    ground = float(np.convolve(shares, np.ones(_GROUND_WIDTH), "same").max())
    return ground > _GROUND_LEAST or float(shares[_LIGHT:].sum()) > _LIGHT_LEAST


def is_one_page(one: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> bool:
    """True where nothing but a save lies between two pages, at the smaller one's size."""
    if one is None or other is None:
        return False
    over, under = sorted((one, other), key=lambda page: (page.size, int(page.sum())))
    height, width = over.shape
    if abs(under.shape[0] * width / under.shape[1] - height) > 1.5:
        return False
    beneath = cv2.resize(under, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    # All places count: a page's content lies where photos are cut off.
    (spread, common), _ = np.cov(over.ravel(), beneath.ravel(), bias=True)
    gain = float(common) / max(float(spread), 1.0)
    left = (beneath - beneath.mean()) - gain * (over.astype(np.float32) - float(over.mean()))
    return float(np.abs(cv2.blur(left, (_WINDOW_PX, _WINDOW_PX))).max()) <= _LEFT_MOST
