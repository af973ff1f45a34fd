"""Starts the window: ``python -P -m ui [--library DIR]``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

import cocadesk
from cocadesk.locations import collect_rarely
from ui.engine.instance import WindowAddress, raise_open_window
from ui.engine.link import EngineLink
from ui.kit.app_theme import AppTheme
from ui.kit.icons import program_icon
from ui.kit.theme import Appearance
from ui.kit.translation import tr, translate_qt
from ui.shell.engine_choices import engine_module, engine_options
from ui.shell.libraries import is_away, start_library, was_moved
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
        said = tr("Something went wrong in the window: {error}", error=error)
        self.reported.emit(said)


class Program(QObject):
    """The window of one library at a time; another library gets a window in its place."""

    def __init__(
        self, options: argparse.Namespace, app: QApplication, errors: ErrorReporter
    ) -> None:
        super().__init__(app)
        self._options = options
        self._errors = errors
        self._app_theme = AppTheme(app, options.look)
        self._address: WindowAddress | None = None
        self.window: MainWindow | None = None

    def open(self, library: Path) -> None:
        """Opens a window on the library, and closes the one that is open."""
        options, last = self._options, self.window
        extra = ("--model", options.model) if options.model and not options.fake else ()
        if is_away(library) and not options.fake:
            extra = (*extra, "--existing")
        link = EngineLink(
            library,
            module=engine_module(is_fake=options.fake),
            extra=engine_options(extra),
        )
        if last is not None:
            last.keep()
            last = self._unless_moved(last, library)
        window = self.window = MainWindow(link, self._app_theme)
        window.library_wanted.connect(self.open)
        self._errors.reported.connect(window.widgets.notice.say)
        if self._address is not None:
            self._address.close()
        self._address = WindowAddress(library, window)
        self._address.raise_wanted.connect(window.come_to_front)
        window.show()
        link.open()
        QApplication.setQuitOnLastWindowClosed(True)
        if last is not None:
            last.close()

    @staticmethod
    def _unless_moved(last: MainWindow, library: Path) -> MainWindow | None:
        """The window, unless its library was moved: then it closes before the new one opens.

        What it could not send any more is kept in the file that the new one reads first.
        """
        if not was_moved(last.session.link.library, library):
            return last
        QApplication.setQuitOnLastWindowClosed(False)
        last.close()
        return None


def main(arguments: list[str] | None = None) -> int:
    """Opens the window and returns its exit code."""
    options = _parser().parse_args(arguments)
    collect_rarely()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    translate_qt(app)
    app.setApplicationName("CocaDesk")
    app.setApplicationVersion(cocadesk.__version__)
    app.setDesktopFileName("cocadesk")
    app.setWindowIcon(program_icon())
    library = start_library(options.library)
    if raise_open_window(library):
        said = tr("CocaDesk is open on this library already; its window comes to you.")
        sys.stderr.write(f"{said}\n")
        return 0
    errors = ErrorReporter()
    sys.excepthook = errors.hook
    program = Program(options, app, errors)
    program.open(library)
    if options.query and program.window is not None:
        program.window.widgets.search.set_query(options.query)
    return app.exec()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cocadesk", description=tr("The window of CocaDesk."))
    parser.add_argument(
        "--library", default="", help=tr("the library's folder, or s3://BUCKET/NAME")
    )
    parser.add_argument("--model", help=tr("the network to use, else the library's own"))
    parser.add_argument("--look", type=Appearance, choices=list(Appearance))
    parser.add_argument("--query", default="", help=tr("what to search for at once"))
    parser.add_argument("--fake", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
