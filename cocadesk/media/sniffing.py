"""What a file is by its first bytes; names are never trusted."""

from __future__ import annotations

from enum import StrEnum

from cocadesk.media.types import Kind

SNIFF_BYTES = 512


class PhotoFormat(StrEnum):
    """A photo format as people name it; the value is what the library stores."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    GIF = "GIF"
    TIFF = "TIFF"
    BMP = "BMP"
    HEIC = "HEIC"
    AVIF = "AVIF"
    ICO = "ICO"
    PSD = "PSD"
    JPEG_2000 = "JPEG 2000"
    JPEG_XL = "JPEG XL"
    RAW = "camera raw"


UNSUPPORTED = frozenset({PhotoFormat.JPEG_XL, PhotoFormat.RAW})

RAW_EXTENSIONS = frozenset(
    {"3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mos", "mrw"}
    | {"nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f"}
)
PHOTO_EXTENSIONS = RAW_EXTENSIONS | frozenset(
    {"jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "tif", "tiff", "bmp"}
    | {"dib", "heic", "heif", "heics", "heifs", "hif", "avif", "avifs", "jxl", "jp2", "j2k"}
    | {"jpf", "jpx", "psd", "ico"}
)

# Not here, for they mean other things as well and are told by content: ts, mts, mod, dat, dv.
VIDEO_EXTENSIONS = frozenset(
    {"mp4", "m4v", "mov", "qt", "3gp", "3gpp", "3g2", "mkv", "mk3d", "webm", "avi", "divx", "mpg"}
    | {"mpeg", "mpe", "m1v", "m2v", "mpv", "m2ts", "m2t", "tod", "vob", "wmv", "asf", "flv", "f4v"}
    | {"ogv", "ogm", "rm", "rmvb", "mxf", "insv", "y4m", "ivf", "amv", "h264", "hevc", "wtv"}
)
MEDIA_EXTENSIONS = PHOTO_EXTENSIONS | VIDEO_EXTENSIONS

_PREFIXES: tuple[tuple[bytes, PhotoFormat], ...] = (
    (b"\xff\xd8\xff", PhotoFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", PhotoFormat.PNG),
    (b"GIF87a", PhotoFormat.GIF),
    (b"GIF89a", PhotoFormat.GIF),
    (b"II*\x00\x10\x00\x00\x00CR", PhotoFormat.RAW),
    (b"IIRO", PhotoFormat.RAW),
    (b"IIU\x00", PhotoFormat.RAW),
    (b"FUJIFILMCCD-RAW", PhotoFormat.RAW),
    (b"FOVb", PhotoFormat.RAW),
    (b"II*\x00", PhotoFormat.TIFF),
    (b"MM\x00*", PhotoFormat.TIFF),
    (b"II+\x00", PhotoFormat.TIFF),
    (b"MM\x00+", PhotoFormat.TIFF),
    (b"8BPS\x00\x01", PhotoFormat.PSD),
    (b"\x00\x00\x01\x00", PhotoFormat.ICO),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", PhotoFormat.JPEG_2000),
    (b"\xff\x4f\xff\x51", PhotoFormat.JPEG_2000),
    (b"\xff\x0a", PhotoFormat.JPEG_XL),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", PhotoFormat.JPEG_XL),
)

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"mif3", b"msf1"}
    | {b"j2ki", b"jpeg", b"vvic"}
)
_RAW_BRANDS = frozenset({b"crx "})

_OTHER_NAMES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\xd0\xcf\x11\xe0", "a Windows document store"),
    (b"\x00\x05\x16\x07", "a macOS resource file"),
    (b"ID3", "a sound file"),
    (b"OggS", "an Ogg sound file"),
    (b"fLaC", "a sound file"),
    (b"\xff\xfb", "a sound file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
)


def sniff_format(head: bytes) -> PhotoFormat | None:
    """The photo format of a file that begins with ``head`` (64 bytes are enough)."""
    for prefix, photo_format in _PREFIXES:
        if head.startswith(prefix):
            return photo_format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if head[:2] == b"BM" and len(head) >= 18 and head[6:10] == b"\x00\x00\x00\x00":
        return PhotoFormat.BMP
    return _sniff_iso_media(head)


def _brands(head: bytes) -> list[bytes]:
    """The brands of an ISO base media file, the major one first."""
    if head[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12]] + [head[at : at + 4] for at in range(16, end - 3, 4)]


def _sniff_iso_media(head: bytes) -> PhotoFormat | None:
    brands = _brands(head)
    if not brands:
        return None
    if brands[0] in _RAW_BRANDS:
        return PhotoFormat.RAW
    if brands[0] in _AVIF_BRANDS:
        return PhotoFormat.AVIF
    if brands[0] not in _HEIC_BRANDS:
        return None
    # "mif1" only says "a still picture"; the codec stands in a compatible brand.
    is_avif = _AVIF_BRANDS.intersection(brands) and not {b"heic", b"heix"}.intersection(brands)
    return PhotoFormat.AVIF if is_avif else PhotoFormat.HEIC


_VIDEO_PREFIXES = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # Windows Media
    b"FLV\x01",
    b".RMF",
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
    b"DKIF",  # IVF
    b"YUV4MPEG2 ",
    b"nut/multimedia container\x00",
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11",  # Windows Recorded TV
)
_BOXES = frozenset({b"ftyp", b"moov", b"mdat"})
_PADDING_BOXES = frozenset({b"wide", b"pnot", b"free", b"skip"})
_OGG_PICTURES = (b"\x80theora", b"OVP80", b"\x01video", b"BBCD")
_SYNC = 0x47


def sniff_kind(head: bytes) -> Kind:
    """Photo, video or neither, by the first ``SNIFF_BYTES``. A video may turn out to be sound."""
    if sniff_format(head) is not None:
        return Kind.PHOTO
    if head.startswith(_VIDEO_PREFIXES) or head[4:8] in _BOXES:
        return Kind.VIDEO
    if head[4:8] in _PADDING_BOXES and head[0] == 0:  # else it is a text with that word
        return Kind.VIDEO
    if head[:4] == b"RIFF" and head[8:12] in {b"AVI ", b"AMV "}:
        return Kind.VIDEO
    if head[:4] == b"OggS" and any(name in head for name in _OGG_PICTURES):
        return Kind.VIDEO
    return Kind.VIDEO if _is_transport_stream(head) else Kind.OTHER


def _is_transport_stream(head: bytes) -> bool:
    """True where MPEG-TS's sync byte comes at the right distances, with or without times."""
    return any(
        len(head) > start + 2 * size
        and all(head[start + number * size] == _SYNC for number in range(3))
        for start, size in ((0, 188), (4, 192))
    )


def is_video(head: bytes, path: bytes) -> bool:
    """True for a file that the video decoder should try: by content, else by its extension."""
    kind = sniff_kind(head)
    if kind is Kind.OTHER:
        extension = path.rpartition(b".")[2].lower().decode("ascii", "replace")
        return bool(head) and extension in VIDEO_EXTENSIONS
    return kind is Kind.VIDEO


def describe_other(head: bytes) -> str:
    """The kind of a file that is no photo, as in "This is <a ZIP archive>"."""
    for prefix, name in _OTHER_NAMES:
        if head.startswith(prefix):
            return name
    if sniff_kind(head) is Kind.VIDEO:
        return "a video"
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if stripped.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if stripped.startswith((b"<?xml", b"<svg")):
        return "an XML or SVG document"
    if head.count(0) == len(head):
        return "a file of zero bytes, perhaps after a disk fault"
    if all(byte in b"\t\r\n\x0c" or byte >= 0x20 for byte in head):
        return "a text file"
    return "not in any picture format that CocaDesk knows"
