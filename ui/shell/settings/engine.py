"""The sections on captions, the engine and the model."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import Qt

from cocadesk.protocol.captions import CaptionLength
from cocadesk.protocol.endpoint import library_name
from cocadesk.protocol.messages import Info, Ok, StopEngine
from cocadesk.protocol.values import CaptionStyle
from ui.annotations.by_itself import BY_ITSELF
from ui.annotations.styles import BEAMS, LENGTH, NAMES, STYLE
from ui.kit.actions import Actions
from ui.kit.texts import device_line
from ui.kit.translation import tr
from ui.kit.widgets import button
from ui.shell.engine_choices import THREADS, engine_options
from ui.shell.pages import Pages
from ui.shell.settings.caption_more import MoreRows
from ui.shell.settings.context import SettingsContext
from ui.shell.settings.rows import (
    CONTROL_PX,
    Section,
    SettingRow,
    choice,
    show_switch,
    switch,
)

ITSELF = tr(
    "After each index, what is new gets a caption and tags. Your own words are "
    "never replaced. Turned off, a photo gets them when you look at it, and a "
    "selection or a folder when you start it (Ctrl+D)."
)
LENGTHS = (
    (CaptionLength.USUAL, tr("As suits the model")),
    (CaptionLength.SHORTER, tr("Shorter")),
    (CaptionLength.LONGER, tr("Longer")),
)
BEAM_CHOICES = (
    (0, tr("As suits the model")),
    (1, tr("Quick (1 beam)")),
    (3, tr("Good (3 beams)")),
    (5, tr("Better (5 beams)")),
    (8, tr("Slow and best (8 beams)")),
)
NEXT = tr(
    "It holds for the next captions; those that there are stay, "
    "unless you have them made again (Ctrl+D)."
)
BATTERY = tr(
    "Long jobs wait while this computer runs on its battery. Turned off, they go on, but rest "
    "as long as they work."
)
STYLES = (("", tr("Any, new ones are sentences")), *((s.value, NAMES[s]) for s in CaptionStyle))


class CaptionsSection(Section):
    """Style, and when they are made."""

    def __init__(self, context: SettingsContext) -> None:
        self._scope = library_name(context.link.library)
        self.style_row = choice(
            tr("Style of captions"),
            tr(
                "The kind that is suggested, where the model knows it. Captions in another "
                "style are made anew when you ask for this one."
            ),
            STYLE,
            STYLES,
            lambda: None,
            words=tr("short alt text screen reader"),
        )
        self.length = choice(
            tr("Length of captions"),
            tr("How much new captions say. {next}", next=NEXT),
            LENGTH,
            LENGTHS,
            lambda: None,
            words=tr("long short words detail"),
        )
        self.beams = choice(
            tr("Care with captions"),
            tr(
                "More beams follow more wordings to their end and choose the best: eight "
                "take some five times as long as one. {next}",
                next=NEXT,
            ),
            BEAMS,
            BEAM_CHOICES,
            lambda: None,
            words=tr("beams beam search quality speed"),
        )
        self.when, self.box = switch(
            tr("Caption by itself"),
            ITSELF,
            tr("On"),
            default=False,
            words=tr("automatic after indexing when"),
        )
        self.box.clicked.connect(self._choose)
        self.more = MoreRows()
        super().__init__(
            tr("Captions"),
            self.style_row,
            self.length,
            self.beams,
            self.when,
            self.more.head,
            *self.more.rows,
        )

    def show_fitting(self, words: Sequence[str]) -> bool:
        """Shows the rows that fit, folded ones too; without words, what was unfolded."""
        fits = super().show_fitting(words)
        if not words:
            self.more.show()
        return fits

    def on_shown(self) -> None:
        """Shows what holds for this library."""
        self.more.refresh()
        for row in (self.style_row, self.length, self.beams):
            row.refresh()
        is_on = BY_ITSELF.read(self._scope)
        show_switch(self.when, self.box, is_on=is_on, default=False)

    def _choose(self) -> None:
        BY_ITSELF.write(self.box.isChecked(), self._scope)


class EngineSection(Section):
    """Where it computes and why, how much of the processor it takes, on battery."""

    def __init__(self, context: SettingsContext) -> None:
        self._context = context
        self.device = SettingRow(
            tr("Device"),
            tr("The engine is asked…"),
            words=tr("gpu cuda cpu graphics card openvino reason"),
        )
        # The reason may hold a command, which is to be copied.
        self.device.sentence.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        options = ((0, tr("All of them")), *((n, str(n)) for n in thread_choices()))
        self.threads = choice(
            tr("Processor cores"),
            tr(
                "So many cores of the processor the engine may use; with fewer, an index "
                "takes longer and the rest of your work is disturbed less. The engine "
                "starts again with it."
            ),
            THREADS,
            options,
            self._restart,
            words=tr("threads cpu slow busy performance"),
        )
        self.battery, self.box = switch(
            tr("Wait on battery"), BATTERY, tr("On"), default=False, words=tr("power mains laptop")
        )
        self.box.clicked.connect(context.actions[Actions.WAIT_ON_BATTERY].trigger)
        context.watch.waiting_came.connect(self._show_waiting)
        super().__init__(tr("Engine"), self.device, self.threads, self.battery)

    def on_shown(self) -> None:
        """Asks whether it waits."""
        self._context.watch.refresh()

    def show_info(self, info: Info) -> None:
        """Names the device."""
        self.device.say(device_line(info.model))

    def _show_waiting(self, is_on: bool) -> None:
        show_switch(self.battery, self.box, is_on=is_on, default=False)

    def _restart(self) -> None:
        link = self._context.link
        link.extra = engine_options(link.extra)
        link.ask(StopEngine(), Ok, lambda _ok: None)


class ModelSection(Section):
    """Which model answers, with the way to others."""

    def __init__(self, context: SettingsContext) -> None:
        go = button(tr("Models…"), on_click=context.actions[Pages.MODELS.action].trigger)
        go.setMinimumWidth(CONTROL_PX)
        self.model = SettingRow(
            tr("Model"),
            tr("The engine is asked…"),
            go,
            words=tr("network starter coca better quality download"),
        )
        super().__init__(tr("Model"), self.model)

    def show_info(self, info: Info) -> None:
        """Names the model."""
        name = info.model.name or info.model.source or tr("A model")
        self.model.say(
            tr("{name} reads your photos, finds them by words and suggests captions.", name=name)
        )


def thread_choices() -> list[int]:
    """Numbers of cores fewer than all, few of them on a large machine."""
    cores = os.cpu_count() or 1
    return [n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64) if n < cores]
