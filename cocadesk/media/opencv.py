"""The one door to OpenCV.

The full opencv-python wheel points Qt at its own plugins and fonts by setting
environment variables on import (opencv-python#736), which breaks PySide6 in
any process started later. They are put back here; the headless wheel sets none.
"""

from __future__ import annotations

import os

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "QT_PLUGIN_PATH")
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}

import cv2  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

# A broken photo is reported by us, with its path, not by OpenCV on stderr.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
