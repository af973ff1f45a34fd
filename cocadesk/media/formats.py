"""The table of photo formats: a row says all that CocaDesk must know of one.

To add a format is to add its row here; ``sniffing``, the scan, the decoder and the
readers of metadata go by the table. Pillow's plugins are named, not imported.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from cocadesk.errors import kept

Sniffer = Callable[[bytes], bool]


class Decoder(Enum):
    """The part of ``photo`` that decodes a format."""

    JPEG = auto()
    """OpenCV, at reduced scales; what it should not read (CMYK) goes to Pillow all the same."""
    PILLOW = auto()
    PNG = auto()
    TIFF = auto()
    """Pillow's plugins; what is large in bands of rows."""
    HEIF = auto()
    """Pillow's plugins; PyAV for what is large or has a high dynamic range."""
    JPEG_XL = auto()
    CAMERA_RAW = auto()
    PHOTOSHOP = auto()
    NONE = auto()
    """Recognised, and refused in a sentence."""


class MetadataBlocks(Enum):
    """The place in a file where EXIF, XMP and IPTC lie."""

    JPEG_SEGMENTS = auto()
    TIFF_TAGS = auto()
    """The file itself has the structure that EXIF borrows."""
    PILLOW_INFO = auto()
    PILLOW_INFO_AND_TEXTS = auto()
    """PNG's texts as well, which may stand behind the pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFormat:
    """One photo format. A file has it by its content: ``prefixes``, else ``sniff``.

    ``name`` is how people call it, and what the library stores. ``extensions`` are in
    lower case, without the dot. ``plugin`` is the module that makes Pillow decode it, where
    Pillow does; ``pillow_names`` are Pillow's names for it where it is not ``name`` in
    capitals. ``decoder_bytes`` is what the decoder keeps of a pixel beside Pillow's own picture;
    where ``canvas`` finds the size (width, height) in the file's head, that is refused
    before the file is opened. ``looks_like`` names the format that this one has by
    content, so that only the extension tells them apart. ``refusal`` is the sentence for a
    format without a decoder. ``moves`` is True of a file that may have several frames, which
    make it a short video.
    """

    name: str
    extensions: frozenset[str]
    prefixes: tuple[bytes, ...] = ()
    sniff: Sniffer | None = None
    decoder: Decoder = Decoder.PILLOW
    plugin: str = ""
    pillow_names: tuple[str, ...] = ()
    decoder_bytes: int = 0
    canvas: Callable[[bytes], tuple[int, int]] | None = None
    is_turned_by_decoder: bool = False
    metadata: MetadataBlocks = MetadataBlocks.PILLOW_INFO
    looks_like: str = ""
    refusal: str = ""
    moves: Callable[[bytes], bool] | None = None


_DNG_VERSION = 50706
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"mif3", b"msf1"}
    | {b"j2ki", b"jpeg", b"vvic"}
)


def _brands(head: bytes) -> list[bytes]:
    """The brands of an ISO base media file, the major one first."""
    if head[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12]] + [head[at : at + 4] for at in range(16, end - 3, 4)]


def _is_avif(head: bytes) -> bool:
    brands = _brands(head)
    if not brands or brands[0] in _AVIF_BRANDS:
        return bool(brands)
    # "mif1" only says "a still picture"; the codec stands in a compatible brand.
    says_avif = _AVIF_BRANDS.intersection(brands) and not {b"heic", b"heix"}.intersection(brands)
    return brands[0] in _HEIC_BRANDS and bool(says_avif)


def _is_heic(head: bytes) -> bool:
    return not _HEIC_BRANDS.isdisjoint(_brands(head)[:1]) and not _is_avif(head)


def _is_camera_raw(head: bytes) -> bool:
    """Canon's CR3, or a TIFF whose first directory says that it is a DNG."""
    if _brands(head)[:1] == [b"crx "]:
        return True
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return False
    (at,) = struct.unpack_from(order + "I", head, 4)
    count = struct.unpack_from(order + "H", head, at)[0] if at + 2 <= len(head) else 0
    entries = range(at + 2, min(at + 2 + 12 * count, len(head) - 1), 12)
    return any(struct.unpack_from(order + "H", head, entry)[0] == _DNG_VERSION for entry in entries)


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_bmp(head: bytes) -> bool:
    return head[:2] == b"BM" and len(head) >= 18 and head[6:10] == b"\x00\x00\x00\x00"


def _is_svg(head: bytes) -> bool:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<?xml", b"<!--", b"<!doctype svg")):
        return b"<svg" in text
    return text.startswith(b"<svg")


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Width and height from a WebP file's first chunk; (1, 1) where it has another form."""
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF or 1, height & 0x3FFF or 1
    return 1, 1


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


JPEG = PhotoFormat(
    name="JPEG",
    extensions=_words("jpg jpeg jpe jfif mpo"),
    prefixes=(b"\xff\xd8\xff",),
    decoder=Decoder.JPEG,
    plugin="PIL.JpegImagePlugin",
    pillow_names=("JPEG", "MPO"),
    metadata=MetadataBlocks.JPEG_SEGMENTS,
)

PHOTO_FORMATS: tuple[PhotoFormat, ...] = (
    JPEG,
    PhotoFormat(
        name="PNG",
        extensions=_words("png apng"),
        prefixes=(b"\x89PNG\r\n\x1a\n",),
        decoder=Decoder.PNG,
        plugin="PIL.PngImagePlugin",
        metadata=MetadataBlocks.PILLOW_INFO_AND_TEXTS,
        moves=lambda data: data.find(b"acTL", 0, data.find(b"IDAT")) > 0,
    ),
    PhotoFormat(
        name="WebP",
        extensions=_words("webp"),
        sniff=_is_webp,
        plugin="PIL.WebPImagePlugin",
        decoder_bytes=8,
        canvas=_webp_canvas,  # libwebp reserves two whole canvases as soon as it opens a file
        moves=lambda data: data[12:16] == b"VP8X" and bool(data[20:21] and data[20] & 2),
    ),
    PhotoFormat(
        name="GIF",
        extensions=_words("gif"),
        prefixes=(b"GIF87a", b"GIF89a"),
        plugin="PIL.GifImagePlugin",
        decoder_bytes=4,
        moves=lambda data: True,
    ),
    PhotoFormat(
        name="TIFF",
        extensions=_words("tif tiff"),
        prefixes=(b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
        decoder=Decoder.TIFF,
        plugin="PIL.TiffImagePlugin",
        is_turned_by_decoder=True,  # while loading; its turned size is given from the start
        metadata=MetadataBlocks.TIFF_TAGS,
    ),
    PhotoFormat(
        name="BMP",
        extensions=_words("bmp dib"),
        sniff=_is_bmp,
        plugin="PIL.BmpImagePlugin",
    ),
    PhotoFormat(
        name="HEIC",
        extensions=_words("heic heif heics heifs hif"),
        sniff=_is_heic,
        decoder=Decoder.HEIF,
        plugin="pi_heif",
        pillow_names=("HEIF",),
        decoder_bytes=6,
        is_turned_by_decoder=True,  # by libheif
    ),
    PhotoFormat(
        name="AVIF",  # Pillow puts the container's turn into EXIF
        extensions=_words("avif avifs"),
        sniff=_is_avif,
        decoder=Decoder.HEIF,
        plugin="PIL.AvifImagePlugin",
        decoder_bytes=6,
        moves=lambda data: b"avis" in _brands(data[:64]),
    ),
    PhotoFormat(
        name="ICO",
        extensions=_words("ico"),
        prefixes=(b"\x00\x00\x01\x00",),
        plugin="PIL.IcoImagePlugin",
    ),
    PhotoFormat(
        name="PSD",  # and PSB, its large form
        extensions=_words("psd psb"),
        prefixes=(b"8BPS\x00\x01", b"8BPS\x00\x02"),
        decoder=Decoder.PHOTOSHOP,
    ),
    PhotoFormat(
        name="JPEG 2000",
        extensions=_words("jp2 j2k jpf jpx"),
        prefixes=(b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
        plugin="PIL.Jpeg2KImagePlugin",
        pillow_names=("JPEG2000",),
    ),
    PhotoFormat(
        name="JPEG XL",
        extensions=_words("jxl"),
        prefixes=(b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"),
        decoder=Decoder.JPEG_XL,
    ),
    PhotoFormat(
        name="camera raw",
        extensions=_words(
            "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl"
            " sr2 srf srw x3f"
        ),
        prefixes=(
            *(
                b"II*\x00\x10\x00\x00\x00CR",
                b"IIRO",
                b"IIRS",
                b"MMOR",
                b"IIU\x00",
                b"FOVb",
                b"\x00MRM",
            ),
            *(b"FUJIFILMCCD-RAW", b"II\x1a\x00\x00\x00HEAPCCDR"),
        ),
        sniff=_is_camera_raw,
        decoder=Decoder.CAMERA_RAW,
        looks_like="TIFF",
    ),
    PhotoFormat(
        name="SVG",
        extensions=_words("svg"),
        sniff=_is_svg,
        decoder=Decoder.NONE,
        refusal=kept("This is an SVG drawing, not a photo: CocaDesk does not read drawings."),
    ),
)

PHOTO_EXTENSIONS = frozenset(name for row in PHOTO_FORMATS for name in row.extensions)


def sniff_format(head: bytes, formats: Sequence[PhotoFormat] = PHOTO_FORMATS) -> PhotoFormat | None:
    """The photo format of a file that begins with ``head`` (64 bytes are enough for most).

    The longest prefix that fits counts, so the order of the rows means nothing. A row that
    ``looks_like`` that one may know better.
    """
    fitting = [(len(p), row) for row in formats for p in row.prefixes if head.startswith(p)]
    found = max(fitting, key=lambda one: one[0])[1] if fitting else None
    able = (row for row in formats if found is None or row.looks_like == found.name)
    return next((row for row in able if row.sniff is not None and row.sniff(head)), found)


def format_of(
    head: bytes, extension: str, formats: Sequence[PhotoFormat] = PHOTO_FORMATS
) -> PhotoFormat | None:
    """The same for a file with this extension, which tells apart what begins alike."""
    found = sniff_format(head, formats)
    named = (row for row in formats if found is not None and row.looks_like == found.name)
    return next((row for row in named if extension.lower() in row.extensions), found)


def may_move(head: bytes) -> bool:
    """True where a file that begins so may be a picture of several frames."""
    photo_format = sniff_format(head)
    return photo_format is not None and photo_format.moves is not None


def is_picture(name: str) -> bool:
    """True for the name of a picture format, also where the picture moves."""
    return any(row.name == name for row in PHOTO_FORMATS)
