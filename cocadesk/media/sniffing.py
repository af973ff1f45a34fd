"""The kind of a file, photo, video or other, by its first bytes; names are never trusted."""

from __future__ import annotations

from cocadesk.errors import kept
from cocadesk.media.formats import PHOTO_EXTENSIONS, sniff_format
from cocadesk.media.types import Kind

SNIFF_BYTES = 4096

# Not here, for they mean other things as well and are told by content: ts, mts, mod, dat, dv, ogg.
VIDEO_EXTENSIONS = frozenset(
    {"mp4", "m4v", "mov", "qt", "3gp", "3gpp", "3g2", "mkv", "mk3d", "webm", "avi", "divx", "mpg"}
    | {"mpeg", "mpe", "m1v", "m2v", "mpv", "m2ts", "m2t", "tod", "vob", "wmv", "asf", "flv", "f4v"}
    | {"ogv", "ogm", "rm", "rmvb", "mxf", "insv", "y4m", "ivf", "amv", "wtv"}
    | {"264", "h264", "avc", "265", "h265", "hevc"}
)
MEDIA_EXTENSIONS = PHOTO_EXTENSIONS | VIDEO_EXTENSIONS

# Extensions of files that are neither photos nor videos, so that a scan need not open them. Only
# a shortcut: a file with any other unknown extension is told by its first bytes.
_TEXT = "txt md rst csv tsv json jsonl xml html htm css log ini cfg conf toml yaml yml tex srt vtt"
_CODE = "py pyc pyi pyd js mjs tsx jsx c h cc cpp hpp cs java class kt go rs rb php pl sh bat"
_CODE_2 = "ps1 lua swift m r jl sql ipynb o a so dll dylib exe msi app apk jar wasm map lock"
_DOCUMENTS = "pdf doc docx xls xlsx ppt pptx odt ods odp rtf epub mobi pages numbers key ps"
_ARCHIVES = "zip tar gz tgz bz2 xz zst 7z rar iso dmg img deb rpm whl cab"
_SOUND = "mp3 wav flac oga opus m4a aac wma aiff mid"
_DRAWINGS = "xcf kra ai eps svgz"
_PREVIEWS = "lrv thm"
_DATA = "db sqlite sqlite3 bin npy npz pt pth onnx safetensors parquet arrow lance h5 pkl"
_BESIDE_PHOTOS = "xmp aae pp3 dop on1 cos lrcat lrdata ttf otf woff woff2 icc"
_TEMPORARY = "tmp temp part partial crdownload bak swp cache"

_ALL = (_TEXT, _CODE, _CODE_2, _DOCUMENTS, _ARCHIVES, _SOUND, _DATA, _BESIDE_PHOTOS)

OTHER_EXTENSIONS = frozenset(" ".join((*_ALL, _DRAWINGS, _PREVIEWS, _TEMPORARY)).split())
WHY_PASSED_OVER = {
    **dict.fromkeys(_DRAWINGS.split(), kept("CocaDesk does not read drawings.")),
    **dict.fromkeys(
        _PREVIEWS.split(), kept("It is the small preview that a camera puts beside a video.")
    ),
}
"""The sentence for files that show something and are left out all the same, by extension."""

_OTHER_NAMES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", kept("a PDF document")),
    (b"PK\x03\x04", kept("a ZIP archive")),
    (b"PK\x05\x06", kept("a ZIP archive")),
    (b"\x1f\x8b", kept("a gzip archive")),
    (b"Rar!", kept("a RAR archive")),
    (b"7z\xbc\xaf", kept("a 7-Zip archive")),
    (b"\xd0\xcf\x11\xe0", kept("a Windows document store")),
    (b"\x00\x05\x16\x07", kept("a macOS resource file")),
    (b"ID3", kept("a sound file")),
    (b"OggS", kept("an Ogg sound file")),
    (b"fLaC", kept("a sound file")),
    (b"\xff\xfb", kept("a sound file")),
    (b"\x7fELF", kept("a program")),
    (b"MZ", kept("a Windows program")),
)


_VIDEO_PREFIXES = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # Windows Media
    b"FLV\x01",
    b".RMF",
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
    b"DKIF",  # IVF
    b"\x1f\x07\x00",  # DV, as it comes from a tape
    b"\x00\x00\x00\x01\x67",  # H.264 without a container, and the next
    b"\x00\x00\x00\x01\x27",
    b"\x00\x00\x00\x01\x09\x10",
    b"\x00\x00\x00\x01\x40\x01",  # HEVC
    b"YUV4MPEG2 ",
    b"nut/multimedia container\x00",
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11",  # Windows Recorded TV
)
_BOXES = frozenset({b"ftyp", b"moov", b"mdat"})
_PADDING_BOXES = frozenset({b"wide", b"pnot", b"free", b"skip"})
_OGG_PICTURES = (b"\x80theora", b"OVP80", b"\x01video", b"BBCD")
_SYNC = 0x47
_PACKETS = (
    *((0, 188, 3), (4, 192, 3)),
    *((start, size, 12) for size in (188, 192) for start in range(size)),
)
"""Where a packet of MPEG-TS may begin, its size, and how many of them prove it."""


def sniff_kind(head: bytes) -> Kind:
    """Photo, video or neither, by the first ``SNIFF_BYTES``. A video may turn out to be sound."""
    if sniff_format(head) is not None:
        return Kind.PHOTO
    if head.startswith(_VIDEO_PREFIXES) or head[4:8] in _BOXES:
        return Kind.VIDEO
    if head[4:8] in _PADDING_BOXES and head[0] == 0:  # else it is a text with that word
        return Kind.VIDEO
    if head[:4] == b"RIFF" and head[8:12] in {b"AVI ", b"AMV ", b"CDXA"}:
        return Kind.VIDEO
    if head[:4] == b"OggS" and any(name in head for name in _OGG_PICTURES):
        return Kind.VIDEO
    return Kind.VIDEO if _is_transport_stream(head) else Kind.OTHER


def _is_transport_stream(head: bytes) -> bool:
    """True where MPEG-TS's sync byte comes at the right distances, with or without times.

    A recording that was cut out of another begins in the midst of a packet: then more of
    them must agree.
    """
    return any(
        len(head) > start + (count - 1) * size
        and all(head[start + number * size] == _SYNC for number in range(count))
        for start, size, count in _PACKETS
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
        return kept("a video")
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if stripped.startswith((b"<!doctype html", b"<html")):
        return kept("a web page")
    if stripped.startswith((b"<?xml", b"<svg")):
        return kept("an XML or SVG document")
    if head.count(0) == len(head):
        return kept("a file of zero bytes, perhaps after a disk fault")
    if all(byte in b"\t\r\n\x0c" or byte >= 0x20 for byte in head):
        return kept("a text file")
    return kept("not in any picture format that CocaDesk knows")
