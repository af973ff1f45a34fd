"""Pictures that are dropped or pasted: files, or a picture alone, which becomes a file.

The bytes of a picture alone are kept as they came wherever they did; the engine's workers
decode them, like all that strangers made.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, Qt
from PySide6.QtGui import QImage

from cocadesk.protocol.endpoint import pasted_folder
from cocadesk.protocol.private_file import write_privately
from ui.kit import desktop
from ui.kit.translation import tr

PASTED = tr("the copied picture")
"""The name of one that has none."""
MOST_KEPT = 10
MOST_BYTES = 256_000_000
SIDE_PX = 1024
"""More than a model looks at."""
_FORMATS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/tiff": "tif",
    "image/bmp": "bmp",
}


def has_pictures(data: QMimeData) -> bool:
    """True where there are files without a folder among them, or a picture without a text."""
    paths = desktop.local_paths(data)
    if paths:
        return not any(Path(path).is_dir() for path in paths)
    is_picture = data.hasImage() or any(map(data.hasFormat, _FORMATS))
    return is_picture and not data.hasText()


def pictures_in(data: QMimeData) -> list[str]:
    """The paths of the files; of a picture alone that of a file with it. Empty: there is none."""
    if not has_pictures(data):
        return []
    paths = desktop.local_paths(data)
    if paths:
        return paths
    name, content = _picture_in(data)
    if not content or len(content) > MOST_BYTES:
        return []
    folder = pasted_folder()
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    path = folder / f"{digest}.{name}"
    try:
        write_privately(path, [content])
    except OSError:
        return []
    _keep_newest(folder)
    return [str(path)]


def is_pasted(path: str) -> bool:
    """True for a file that was made of a picture alone."""
    return Path(path).parent == pasted_folder()


def forget_pasted() -> None:
    """Removes all such files."""
    _keep_newest(pasted_folder(), 0)


def _picture_in(data: QMimeData) -> tuple[str, bytes]:
    """The ending of a file name and the bytes."""
    for kind, name in _FORMATS.items():
        if data.hasFormat(kind) and (content := bytes(data.data(kind).data())):
            return name, content
    image = data.imageData()
    if not isinstance(image, QImage) or image.isNull():
        return "", b""
    if max(image.width(), image.height()) > SIDE_PX:
        ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode
        image = image.scaled(SIDE_PX * 2, SIDE_PX * 2, ratio, smooth.FastTransformation)
        image = image.scaled(SIDE_PX, SIDE_PX, ratio, smooth.SmoothTransformation)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "BMP")  # type: ignore[call-overload]
    return "bmp", bytes(buffer.data().data())


def _keep_newest(folder: Path, number: int = MOST_KEPT) -> None:
    with contextlib.suppress(OSError):
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        for file in files[: max(0, len(files) - number)]:
            file.unlink(missing_ok=True)
