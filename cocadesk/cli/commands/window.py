"""``cocadesk`` without a command: the window."""

from __future__ import annotations

import os
import sys

from cocadesk.cli.children import WINDOW, run_child
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report
from cocadesk.errors import UserError


def has_display() -> bool:
    """True where Qt will find something to draw on; only Linux may lack one."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def window(options: Options, report: Report) -> int:
    """Opens the window on the library; ends when it is closed.

    Raises:
        UserError: there is no display to open it on (Qt would abort).
    """
    if not has_display():
        raise UserError(
            "There is no display to open the window on.",
            "",
            "Start CocaDesk on a desktop, or use its commands: cocadesk --help lists them.",
        )
    arguments = ["--library", str(options.library)]
    if options.model is not None:
        arguments += ["--model", options.model]
    return run_child(WINDOW, arguments, report)
