"""Colour profiles to sRGB, and turning a picture upright."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from cocadesk.media.types import RgbImage

_MAX_PROFILE_BYTES = 8 << 20
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=32)
def _transform(icc: bytes, mode: str) -> Any:
    """A transform from ``icc`` to sRGB for pictures of ``mode``, or None for "leave it".

    None where the profile is sRGB already, is broken, or belongs to another
    kind of picture.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space
        name = ImageCms.getProfileDescription(profile)
        if space != _PROFILE_SPACES.get(mode) or (mode == "RGB" and _is_srgb_name(name)):
            return None
        return ImageCms.buildTransform(profile, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_srgb_name(name: str) -> bool:
    lowered = name.lower()
    # "sRGB v4 ICC preference" is a perceptual mapping that does change colours.
    return lowered.startswith("srgb") and not any(
        word in lowered for word in ("linear", "preference")
    )


def _usable(icc: bytes | None) -> bytes | None:
    return icc if icc and 128 <= len(icc) <= _MAX_PROFILE_BYTES else None


def rgb_to_srgb(rgb_HWC: RgbImage, icc: bytes | None, *, is_grey: bool = False) -> RgbImage:
    """The picture in sRGB; as it is where the profile is absent, sRGB or unusable."""
    profile = _usable(icc)
    if profile is None:
        return rgb_HWC
    transform = _transform(profile, "L" if is_grey else "RGB")
    if transform is None:
        return rgb_HWC
    source = Image.fromarray(np.ascontiguousarray(rgb_HWC[..., 0]) if is_grey else rgb_HWC)
    return np.asarray(ImageCms.applyTransform(source, transform))


def image_to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """The same for a Pillow picture in mode RGB, L, CMYK or LAB; the result is RGB."""
    if image.mode == "LAB":
        return _lab_to_srgb(image)
    profile = _usable(icc)
    transform = _transform(profile, image.mode) if profile is not None else None
    if transform is None:
        return image.convert("RGB")
    converted = ImageCms.applyTransform(image, transform)
    return image.convert("RGB") if converted is None else converted


def _lab_to_srgb(image: Image.Image) -> Image.Image:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    converted = ImageCms.profileToProfile(image, lab, _srgb(), outputMode="RGB")
    return image.convert("L").convert("RGB") if converted is None else converted


def turn_upright(rgb_HWC: RgbImage, orientation: int) -> RgbImage:
    """The picture as EXIF orientation 1 to 8 says it should be seen. Contiguous."""
    if orientation == 1:
        return rgb_HWC
    if orientation >= 5:
        rgb_HWC = rgb_HWC.transpose(1, 0, 2)
    flips_rows = orientation in (3, 4, 7, 8)
    flips_columns = orientation in (2, 3, 6, 7)
    turned = rgb_HWC[:: -1 if flips_rows else 1, :: -1 if flips_columns else 1]
    return np.ascontiguousarray(turned)


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height after ``turn_upright``."""
    return (height, width) if orientation >= 5 else (width, height)
