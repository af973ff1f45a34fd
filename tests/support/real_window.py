"""A window of the real program, which starts its engine by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import shiboken6

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import running_engine
from tests.support.engines import stop
from ui.engine.link import EngineLink
from ui.kit.app_theme import AppTheme
from ui.shell.window import MainWindow


@contextmanager
def opened(library: Path, app_theme: AppTheme, *extra: str) -> Iterator[MainWindow]:
    """A window on the library, its engine with ``extra`` options; in the end both are gone."""
    window = MainWindow(EngineLink(library, extra=extra), app_theme)
    try:
        window.show()
        window.activateWindow()
        window.session.link.open()
        yield window
    finally:
        window.close()
        shiboken6.delete(window)
        client: EngineClient | None = running_engine(library)
        if client is not None:
            with client:
                stop(client)
