"""The header of a JPEG XL codestream (ISO/IEC 18181-1, annex D): size, turn and colours."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import kept
from cocadesk.media.types import PhotoError

CODESTREAM = b"\xff\x0a"
CUT_SHORT = kept("The JPEG XL data end too early: the file was cut short.")
# Width by height, as the header numbers them.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDE_BITS = (9, 13, 18, 30)
_GREY, _XYB = 1, 2
_CUSTOM = 2
_BT709 = 1
_LINEAR, _DCI = 8, 17
_GAMMAS = {_LINEAR: 1.0, _DCI: 2.6}
# Of a number its smallest value and the bits added to it, by the two bits before it.
_ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
_SAMPLE_BITS = ((8, 0), (10, 0), (12, 0), (1, 6))
_FLOAT_BITS = ((32, 0), (16, 0), (24, 0), (1, 6))
_NAME_BYTES = ((0, 0), (0, 4), (16, 5), (48, 10))
_CHANNELS = ((0, 0), (1, 0), (2, 4), (1, 12))
_SHIFT = ((0, 0), (3, 0), (4, 0), (1, 3))
_MOSAIC = ((1, 0), (0, 2), (3, 4), (19, 8))
_POINT = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_PREVIEW_BY_8 = ((16, 0), (32, 0), (1, 5), (33, 9))
_PREVIEW = ((1, 6), (65, 8), (321, 10), (1345, 12))
_TICKS = ((100, 0), (1000, 0), (1, 10), (1, 30))
_TICKS_BELOW = ((1, 0), (1001, 0), (1, 8), (1, 10))
_LOOPS = ((0, 0), (0, 3), (0, 16), (0, 32))


@dataclass(frozen=True, slots=True, kw_only=True)
class JxlColours:
    """Colours told by numbers (ISO/IEC 23091-2) in place of a profile.

    ``gamma`` is the exponent from stored values to light; None where the curve is sRGB's, or
    one of a high dynamic range.
    """

    primaries: int
    curve: int
    gamma: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JxlHeader:
    """The size as stored, and the EXIF orientation that makes the picture upright.

    ``colours`` is None for sRGB, for a picture with a profile, and where the header ends early.
    """

    width: int
    height: int
    orientation: int = 1
    colours: JxlColours | None = None


class _Bits:
    """Reads numbers from a codestream, whose bits lie lowest first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next number of ``count`` bits."""
        if count > self._left:
            raise PhotoError(CUT_SHORT)
        number = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return number

    def choose(self, choices: tuple[tuple[int, int], ...]) -> int:
        """The next number of those whose ranges two bits choose."""
        least, count = choices[self.take(2)]
        return least + self.take(count)


def read_header(codestream: bytes) -> JxlHeader:
    """The header of a codestream.

    Raises:
        PhotoError: it is cut within the size.
    """
    bits = _Bits(codestream[2:])
    width, height = _size(bits)
    is_all_default = bits.take(1)
    has_extra_fields = 0 if is_all_default else bits.take(1)
    orientation = 1 + bits.take(3) if has_extra_fields else 1
    colours = None
    if not is_all_default:
        try:
            colours = _colours_behind(bits, has_extra_fields=bool(has_extra_fields))
        except PhotoError:
            colours = None
    return JxlHeader(width=width, height=height, orientation=orientation, colours=colours)


def _size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)

    def side() -> int:
        if is_small:
            return 8 * (1 + bits.take(5))
        return 1 + bits.take(_SIDE_BITS[bits.take(2)])

    height = side()
    ratio = _RATIOS.get(bits.take(3))
    width = side() if ratio is None else height * ratio[0] // ratio[1]
    return width, height


def _colours_behind(bits: _Bits, *, has_extra_fields: bool) -> JxlColours | None:
    """The colours; all that lies between the orientation and them is passed over."""
    if has_extra_fields:
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            _pass_preview(bits)
        if bits.take(1):
            for choices in (_TICKS, _TICKS_BELOW, _LOOPS):
                bits.choose(choices)
            bits.take(1)
    _pass_depth(bits)
    bits.take(1)
    for _ in range(bits.choose(_CHANNELS)):
        _pass_channel(bits)
    bits.take(1)
    return _colours(bits)


def _pass_preview(bits: _Bits) -> None:
    choices = _PREVIEW_BY_8 if bits.take(1) else _PREVIEW
    bits.choose(choices)
    if bits.take(3) == 0:
        bits.choose(choices)


def _pass_depth(bits: _Bits) -> None:
    is_float = bits.take(1)
    bits.choose(_FLOAT_BITS if is_float else _SAMPLE_BITS)
    if is_float:
        bits.take(4)


def _pass_channel(bits: _Bits) -> None:
    """Pass over what is said of a channel beside the colours."""
    if bits.take(1):
        return
    kind = bits.choose(_ENUM)
    _pass_depth(bits)
    bits.choose(_SHIFT)
    bits.take(8 * bits.choose(_NAME_BYTES))
    match kind:
        case 0:  # alpha
            bits.take(1)
        case 2:  # a spot colour
            bits.take(64)
        case 5:  # a mosaic
            bits.choose(_MOSAIC)


def _colours(bits: _Bits) -> JxlColours | None:
    is_all_default = bits.take(1)
    if is_all_default or bits.take(1):  # sRGB, or a profile
        return None
    space = bits.choose(_ENUM)
    if space == _XYB:
        return None
    if bits.choose(_ENUM) == _CUSTOM:
        _pass_points(bits, 1)
    primaries = _BT709 if space == _GREY else bits.choose(_ENUM)
    if primaries == _CUSTOM:
        _pass_points(bits, 3)
    if bits.take(1):
        inverse = bits.take(24)
        return JxlColours(primaries=primaries, curve=0, gamma=1e7 / inverse if inverse else None)
    curve = bits.choose(_ENUM)
    return JxlColours(primaries=primaries, curve=curve, gamma=_GAMMAS.get(curve))


def _pass_points(bits: _Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.choose(_POINT)
