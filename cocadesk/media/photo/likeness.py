"""Two small pictures compared: the same one, saved anew or cropped, or merely alike.

A perceptual hash tells no re-save from the neighbour in a burst: both differ in a few bits. So
the smaller picture is laid over the other, where it fits best, and what is left between them is
looked at place by place: a save leaves a little everywhere, another moment much somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.opencv import cv2
from cocadesk.media.photo.pages import is_one_page, is_page

Plane: TypeAlias = NDArray[np.float32]

COARSE_PX = 64
FINE_PX = 128
_PRINT_PX = 8
_CROPPED_MOST = 0.2
"""The part of a side that a crop may take away; a tenth is meant, from either side."""
_ROUGHLY_LEAST, _LAID_LEAST = 0.75, 0.7
"""Less alike than this at half the coarse size, and at it, pictures are looked at no further:
laying them over each other takes most of the time."""
_EASILY = 0.65
"""With less than this left between them, pictures need not be moved over each other."""
_ROUNDS, _GAIN = 60, 1e-4
_BLUR_PX = 3
_WINDOW_PX = 9
"""Each place is so wide: 7 % of a picture."""
_FLAT, _STEEP = 5.0, 0.6
"""What a save changes, in 256ths of white: in flat places, and for each unit of slope."""
_LIGHTEST, _CUT_OFF = 235, 20
"""Lighter places may have been cut off by as much: what is left there says less."""
_TONES_LEAST = 3.0
"""Pictures whose brightness varies less (a cap before the lens, a clear sky) say nothing."""


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A picture's thumbnail, (H, W) planes of brightness and of two colours, and its true size.

    ``sharpness`` compares pictures of one scene and size: the higher, the sharper. ``page_HW``
    is the brightness of the whole thumbnail where it is a page of text, or drawn: of lines of
    text the planes keep but a grey.
    """

    luma_HW: Plane
    chroma_HW2: NDArray[np.float32]
    width: int
    height: int
    sharpness: float = 0.0
    page_HW: NDArray[np.uint8] | None = None


_OUTSIDE_MOST, _SKEW_MOST, _CROP_LEAST = 0.006, 0.004, 0.006
_GAIN_LEAST, _GAIN_MOST, _OFFSET_MOST, _COLOUR_MOST = 0.85, 1.17, 25.0, 5.5
_WORST_MOST = 1.1
"""Measured on 1,000 pairs of photos: re-saves and crops stay below (99 %), and an object as
wide as a tenth of the picture that moves, comes or goes lies above (99 %)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How a picture lies in another one, and what is left between them.

    ``coarse`` is their correlation (1: alike) where the one fits best into the other; without
    a fit above 0.7 the rest says nothing. ``outside`` is how far it reaches beyond the other, in
    parts of a side, and ``cropped`` how much of a side it lacks; ``skew`` is their turn against
    each other. ``gain`` and ``offset`` of brightness bring them together; ``worst`` is what is
    left at the worst place, 1 being as much as a save may leave, ``colour`` the mean of the
    colours, in 256ths.
    """

    coarse: float
    outside: float = 1.0
    cropped: float = 1.0
    skew: float = 1.0
    gain: float = 0.0
    offset: float = 255.0
    worst: float = np.inf
    colour: float = 255.0

    @property
    def is_same(self) -> bool:
        """True for one picture that was saved anew, perhaps smaller, cropped or a bit lighter."""
        return (
            self.worst <= _WORST_MOST
            and self.outside <= _OUTSIDE_MOST
            and self.skew <= _SKEW_MOST
            and _GAIN_LEAST <= self.gain <= _GAIN_MOST
            and abs(self.offset) <= _OFFSET_MOST
            and self.colour <= _COLOUR_MOST
        )

    @property
    def is_crop(self) -> bool:
        """True where a part of the other picture is left."""
        return self.cropped > _CROP_LEAST


def small_picture(jpeg: bytes, width: int, height: int) -> SmallPicture | None:
    """The picture of a thumbnail of ours; None where the file is damaged."""
    bgr = _decoded(jpeg, cv2.IMREAD_COLOR)
    if bgr is None:
        return None
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    page = grey if is_page(grey) else None
    ycc = cv2.cvtColor(_fitted(bgr.astype(np.float32) / 255, FINE_PX), cv2.COLOR_BGR2YCrCb) * 255
    return SmallPicture(ycc[:, :, 0].copy(), ycc[:, :, 1:].copy(), width, height, sharpness, page)


def _decoded(jpeg: bytes, way: int) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG; None where it is damaged, or a crash has left an empty file."""
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), way) if jpeg else None


def tiny_print(jpeg: bytes) -> NDArray[np.int8] | None:
    """(64,) brightness of a thumbnail in 8 × 8 places, without its mean: alike for re-saves.

    Zeros for a picture of one tone; None where the file is damaged.
    """
    small = _decoded(jpeg, cv2.IMREAD_REDUCED_GRAYSCALE_4)
    if small is None:
        return None
    size = (_PRINT_PX, _PRINT_PX)
    tiny = cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_AREA).ravel()
    tiny -= tiny.mean()
    most = np.abs(tiny).max()
    whole = np.zeros_like(tiny) if most < 1 else np.round(tiny * (127 / most))
    return np.asarray(whole, np.int8)


def likeness(one: SmallPicture, other: SmallPicture) -> Likeness:
    """The likeness of two pictures; it is the same whichever comes first.

    Of pages only those that lie exactly over each other are looked at: text that was cropped
    cannot be told from other text by a thumbnail. Pictures of one tone are like none.
    """
    if min(float(one.luma_HW.std()), float(other.luma_HW.std())) < _TONES_LEAST:
        return Likeness(coarse=0.0)
    pages = one.page_HW, other.page_HW
    if any(page is not None for page in pages) and not is_one_page(*pages):
        return Likeness(coarse=0.0)
    if one.luma_HW.shape == other.luma_HW.shape:
        as_they_are = _left_between(one, other)
        if as_they_are.worst < _EASILY:
            return as_they_are
    both = ((one, other), (other, one))
    rough = max(_place_in(whole, part, COARSE_PX // 2)[0] for whole, part in both)
    if rough < _ROUGHLY_LEAST:
        return Likeness(coarse=rough)
    ways = [(*_place_in(a, b, COARSE_PX), a, b) for a, b in both]
    coarse, box, whole, part = max(ways, key=lambda way: way[0])
    if coarse < _LAID_LEAST:
        return Likeness(coarse=coarse)
    return _laid(whole, part, box, coarse)


def _left_between(one: SmallPicture, other: SmallPicture) -> Likeness:
    """The likeness of two pictures of one shape, neither of which is moved."""
    gain, offset = _brought_together(other.luma_HW, one.luma_HW)
    return Likeness(
        coarse=1.0,
        outside=0.0,
        cropped=0.0,
        skew=0.0,
        gain=gain,
        offset=offset,
        worst=_worst_place(one.luma_HW, other.luma_HW, gain, offset),
        colour=float(np.abs(one.chroma_HW2 - other.chroma_HW2).mean()),
    )


def is_alike(one: SmallPicture, other: SmallPicture) -> float:
    """The correlation of two pictures of one scene, moved by up to a tenth: 1 is the same."""
    whole, part = _fitted(one.luma_HW, COARSE_PX // 2), _fitted(other.luma_HW, COARSE_PX // 2)
    height, width = part.shape
    rows, columns = height // 10, width // 10
    inner = part[rows : height - rows, columns : width - columns]
    if any(a > b for a, b in zip(inner.shape, whole.shape, strict=True)):
        return 0.0
    return float(cv2.matchTemplate(whole, inner, cv2.TM_CCOEFF_NORMED).max())


def _fitted(plane: NDArray[Any], long_side_px: int) -> Plane:
    height, width = plane.shape[:2]
    scale = long_side_px / max(width, height)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _place_in(whole: SmallPicture, part: SmallPicture, long_side_px: int) -> tuple[float, Plane]:
    """The likeliest place of a part in a whole, at this size, and their correlation there.

    The place is the map from the part's sides, each 0 to 1, to the whole's. A part keeps
    the proportions of its pixels, so that the width that is left says the height.
    """
    small = _fitted(whole.luma_HW, long_side_px)
    height, width = small.shape
    ratio = (part.width * whole.height) / (part.height * whole.width)
    best, place = -1.0, np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    for step in range(round(long_side_px * _CROPPED_MOST) + 1):
        longer = 1 - step / long_side_px
        across, down = (longer, longer / ratio) if ratio >= 1 else (longer * ratio, longer)
        if min(across, down) < 1 - _CROPPED_MOST - 0.05:
            break
        size = min(width, round(across * width)), min(height, round(down * height))
        laid = cv2.resize(part.luma_HW, size, interpolation=cv2.INTER_AREA)
        _, found, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(small, laid, cv2.TM_CCOEFF_NORMED))
        if found > best and np.isfinite(found):
            best = found
            place = np.array([[across, 0, x / width], [0, down, y / height]], np.float32)
    return best, place


def _laid(whole: SmallPicture, part: SmallPicture, place: Plane, coarse: float) -> Likeness:
    """The part laid over the whole as exactly as can be, and what is left between them."""
    under, over = whole.luma_HW, part.luma_HW
    (big_h, big_w), (height, width) = under.shape, over.shape
    # From the centers of the part's pixels to those of the whole's.
    scale = np.array([[big_w / width, big_w / height], [big_h / width, big_h / height]])
    warp = np.zeros((2, 3), np.float32)
    warp[:, :2] = place[:, :2] * scale
    ends = place[:, 2] * (big_w, big_h)
    warp[:, 2] = ends + warp[:, :2].sum(axis=1) / 2 - 0.5
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, _GAIN)
    try:
        _, warp = cv2.findTransformECC(
            over, under, warp, cv2.MOTION_AFFINE, criteria, None, _BLUR_PX
        )
    except cv2.error:  # nothing to hold on to: flat pictures, or too different ones
        return Likeness(coarse=coarse)
    corners = np.array([[x, y, 1] for x in (-0.5, width - 0.5) for y in (-0.5, height - 0.5)])
    x, y = ((corners @ warp.T) + 0.5).T / np.array([[big_w], [big_h]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (width, height)
    beneath = cv2.warpAffine(under, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    colours = cv2.warpAffine(
        whole.chroma_HW2, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    gain, offset = _brought_together(over, beneath)
    return Likeness(
        coarse=coarse,
        outside=float(max(-x.min(), -y.min(), x.max() - 1, y.max() - 1)),
        cropped=float(max(1 - (x.max() - x.min()), 1 - (y.max() - y.min()))),
        skew=float(max(abs(warp[0, 1]), abs(warp[1, 0]))),
        gain=gain,
        offset=offset,
        worst=_worst_place(beneath, over, gain, offset),
        colour=float(np.abs(colours - part.chroma_HW2).mean()),
    )


def _brought_together(over: Plane, beneath: Plane) -> tuple[float, float]:
    """Gain and offset of brightness between two pictures, but for the tenth that differs most."""
    first, second = over.ravel(), beneath.ravel()
    kept = np.maximum(first, second) < _LIGHTEST
    gain, offset = 1.0, 0.0
    for _ in range(3):
        x, y = first[kept], second[kept]
        spread = float(x.var()) if len(x) > len(first) // 8 else 0.0
        if spread < 1:
            break
        gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread
        offset = float(y.mean() - gain * x.mean())
        left = np.abs(second - gain * first - offset)
        kept &= left <= np.percentile(left[kept], 90) + 1
    return gain, offset


def _worst_place(beneath: Plane, over: Plane, gain: float, offset: float) -> float:
    """What is left at the worst place, in units of what a save may leave there."""
    left = beneath - gain * over - offset
    # Of a place that was cut off only a bound is known.
    left -= np.where(over > _LIGHTEST, np.clip(left, 0, _CUT_OFF), 0)
    left -= np.where(beneath > _LIGHTEST, np.clip(left, -_CUT_OFF, 0), 0)
    slope = np.hypot(
        cv2.Sobel(beneath, cv2.CV_32F, 1, 0, scale=0.25),
        cv2.Sobel(beneath, cv2.CV_32F, 0, 1, scale=0.25),
    )
    window, edge = (_WINDOW_PX, _WINDOW_PX), _WINDOW_PX // 2
    worth = cv2.blur(np.abs(left), window) / (_FLAT + _STEEP * cv2.blur(slope, window))
    return float(worth[edge:-edge, edge:-edge].max(initial=0.0))
