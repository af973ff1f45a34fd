"""Exposure of a photo: time, aperture, sensitivity and focal length, from EXIF or XMP."""

from __future__ import annotations

import math
import re
from typing import Any

from cocadesk.media.metadata.exif import Exif, Ifd
from cocadesk.media.metadata.xmp import Xmp

_TIME, _APERTURE, _SPEED_APEX, _APERTURE_APEX, _FOCAL = 0x829A, 0x829D, 0x9201, 0x9202, 0x920A
_ISO = (0x8827, 0x8833, 0x8832, 0x8831)
"""Sensitivity, which ends at 65,535, and the tags that go on from there."""
_ISO_MAX_SHORT = 65_535
_LONGEST_S = 7 * 86_400
_FRACTION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(?:/(\d{1,12}))?", re.ASCII)


def read_exposure(exif: Exif, xmp: Xmp) -> dict[str, Any]:
    """``exposure_s``, ``aperture``, ``iso`` and ``focal_mm``; None where it can't be true."""
    photo = exif.photo
    time_s = _number(photo, _TIME) or _power(-1.0, _signed(photo, _SPEED_APEX))
    aperture = _number(photo, _APERTURE) or _power(0.5, _signed(photo, _APERTURE_APEX))
    sensitivities = [iso for tag in _ISO if (iso := _number(photo, tag))]
    # The first is cut off at its largest value, where another knows more.
    beyond = [iso for iso in sensitivities if iso != _ISO_MAX_SHORT]
    iso = next(iter(beyond or sensitivities), None)
    return {
        "exposure_s": _within(time_s or _fraction(xmp, "exif:ExposureTime"), _LONGEST_S),
        "aperture": _within(aperture or _fraction(xmp, "exif:FNumber"), 1_000),
        "iso": _whole(_within(iso or _fraction(xmp, "exif:ISOSpeedRatings"), 100_000_000)),
        "focal_mm": _within(
            _number(photo, _FOCAL) or _fraction(xmp, "exif:FocalLength"), 1_000_000
        ),
    }


def _number(ifd: Ifd, tag: int) -> float | None:
    """A positive number; None where there is none, or division by zero."""
    value = _signed(ifd, tag)
    return value if value is not None and value > 0 else None


def _signed(ifd: Ifd, tag: int) -> float | None:
    value = ifd.get(tag)
    if not isinstance(value, tuple) or not value or not math.isfinite(value[0]):
        return None
    return float(value[0])


def _power(factor: float, apex: float | None) -> float | None:
    """Two to the power of an APEX value, to three digits: the scale is that coarse."""
    if apex is None or not -40 <= apex <= 40:
        return None
    return float(f"{2.0 ** (factor * apex):.3g}")


def _fraction(xmp: Xmp, name: str) -> float | None:
    """A number written as "1/200" or "0.005"."""
    found = _FRACTION.fullmatch((xmp.first(name) or "").strip())
    if found is None:
        return None
    bottom = float(found[2] or 1)
    return float(found[1]) / bottom if bottom else None


def _within(value: float | None, most: float) -> float | None:
    return value if value is not None and 0 < value <= most else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
