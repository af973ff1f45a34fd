"""The section on the program itself."""

from __future__ import annotations

import platform
import sys

import PySide6
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from cocadesk.protocol.messages import PROTOCOL_VERSION, Info
from ui.kit import desktop
from ui.kit.translation import tr
from ui.kit.widgets import button
from ui.shell.settings.context import SettingsContext
from ui.shell.settings.rows import CONTROL_PX, Section, SettingRow

LICENCE = tr(
    "CocaDesk is free under the Apache License 2.0. It stands on Qt (PySide6), PyTorch, OpenVINO, "
    "LanceDB, OpenCV, PyAV and others, each under its own licence; THIRD_PARTY.md of the program "
    "lists them. The sample photos and the font have licences beside them."
)


class AboutSection(Section):
    """Version, licences, and details for a report of a bug."""

    def __init__(self, context: SettingsContext) -> None:
        self._context = context
        self._info: Info | None = None
        copy = button(tr("Copy details"), on_click=self._copy)
        copy.setMinimumWidth(CONTROL_PX)
        self.version = SettingRow(
            f"CocaDesk {QGuiApplication.applicationVersion()}",
            tr(
                "For a report of a bug: versions, system, model and numbers. "
                "No names, paths, captions or searches are among them."
            ),
            copy,
            words=tr("version bug report details copy log"),
        )
        show = button(tr("Sample photos' credits"), on_click=desktop.open_credits)
        show.setMinimumWidth(CONTROL_PX)
        licences = SettingRow(
            tr("Licences"), LICENCE, show, words=tr("license copyright open source")
        )
        super().__init__(tr("About"), self.version, licences)

    def show_info(self, info: Info) -> None:
        """Keeps what the details name."""
        self._info = info

    def _copy(self) -> None:
        desktop.copy_text(details(self._info))
        self._context.notice.say(tr("Details copied"))


def details(info: Info | None) -> str:
    """The facts for a report of a bug, in English, without a person's words or paths."""
    screen = QGuiApplication.primaryScreen()
    size = "no screen"
    if screen is not None:
        size = f"{screen.size().width()} × {screen.size().height()} at {screen.devicePixelRatio()}"
    lines = [
        f"CocaDesk {QGuiApplication.applicationVersion()}, protocol {PROTOCOL_VERSION}",
        f"Python {sys.version.split()[0]}, PySide6 {PySide6.__version__}, Qt {qVersion()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"Screen {size}, {QGuiApplication.platformName()}",
    ]
    if info is None:
        return "\n".join([*lines, "The engine has not answered."])
    model, counts = info.model, info.counts
    return "\n".join(
        [
            *lines,
            f"Library schema {info.schema}: {counts.photos} photos, {counts.videos} videos, "
            f"{counts.views} vectors, {counts.missing} missing, {counts.offline} offline, "
            f"{counts.failed} failed, {counts.without_vectors} without vectors, "
            f"{len(info.notices)} notices",
            f"Model {model.state.value}, {model.image_id}, on {model.device} {model.precision}",
        ]
    )
