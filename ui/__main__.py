"""Starts the window: ``python -P -m ui [--library DIR]``."""

from __future__ import annotations

import argparse
import logging
import sys
from types import TracebackType

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

import cocadesk
from cocadesk.locations import library_folder
from cocadesk.protocol.launch import ENGINE_MODULE, FAKE_MODULE
from ui.engine.link import EngineLink
from ui.kit.app_theme import AppTheme
from ui.kit.theme import Appearance
from ui.shell.window import MainWindow

_log = logging.getLogger("ui")


class ErrorReporter(QObject):
    """Carries unexpected errors of any thread to the window, after logging them."""

    reported = Signal(str)

    def hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """For ``sys.excepthook``; a queued signal, never a dialog."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        _log.error("an error in the program", exc_info=(kind, error, trace))
        self.reported.emit(f"Something went wrong in the window: {error}")


def main(arguments: list[str] | None = None) -> int:
    """Opens the window and returns its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    app.setApplicationName("CocaDesk")
    app.setApplicationVersion(cocadesk.__version__)
    errors = ErrorReporter()
    sys.excepthook = errors.hook
    library = library_folder(options.library).expanduser().absolute()
    link = EngineLink(
        library,
        module=FAKE_MODULE if options.fake else ENGINE_MODULE,
        extra=("--model", options.model) if options.model and not options.fake else (),
    )
    window = MainWindow(link, AppTheme(app, options.look))
    errors.reported.connect(window.widgets.notice.say)
    if options.query:
        window.widgets.search.set_query(options.query)
    window.show()
    link.open()
    return app.exec()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cocadesk", description="The window of CocaDesk.")
    parser.add_argument("--library", default="", help="the library's folder, or s3://BUCKET/NAME")
    parser.add_argument("--model", help="the network to use, else the library's own")
    parser.add_argument("--look", type=Appearance, choices=list(Appearance))
    parser.add_argument("--query", default="", help="what to search for at once")
    parser.add_argument("--fake", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
