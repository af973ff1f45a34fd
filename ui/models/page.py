"""The page of models: three plain choices, the others that are here, and changing over."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtGui import QHideEvent, QShowEvent

from cocadesk.protocol.messages import Info
from cocadesk.protocol.values import JobKind, JobState, JobValue, ModelEntry
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.layouts import in_column
from ui.kit.page_parts import Column, Page, headed, hide_or_say, hide_part, scrolled
from ui.kit.texts import device_line, file_size
from ui.kit.theme import GAP_L
from ui.kit.translation import tr
from ui.kit.widgets import label
from ui.models.cards import ChangingCard, ModelRow, OtherCard, QuestionCard
from ui.models.offers import Offers
from ui.models.requests import ModelRequests

INTRO = tr(
    "The model looks at your photos, finds them by your words and suggests captions. A larger "
    "one knows more and takes longer to read them. Your photos, and your own captions and tags, "
    "stay as they are with any model."
)
SETS = tr(
    "The squares: a sentence that somebody wrote for one of 1,000 photos is searched for, and "
    "counts as found first where that photo comes before all others. The starter was measured by "
    "us on photos of Flickr8k that it did not learn from, but that its settings were chosen by: "
    "on photos that played no part it may find a little less. The larger models were measured by "
    "their makers on Flickr30k: photos of the same kind, not the same photos."
)


class ModelsPage(Page):
    """Offers models to choose from, lists the others, and changes over.

    It asks first where that costs something.
    """

    def __init__(self, link: EngineLink, tracker: JobTracker) -> None:
        super().__init__()
        self.setAccessibleName(tr("Models"))
        self._tracker = tracker
        self.requests = ModelRequests(link, tracker, self)
        self._choices = in_column(gap=12)
        self._captioners = in_column(gap=12)
        self.offers = Offers(self.requests, tracker, self._choices, self._captioners)
        self.rows: list[ModelRow] = []
        self.changing = ChangingCard()
        self.question = QuestionCard()
        self.other = OtherCard()
        self.device = label("", "muted", wraps=True)
        self.problem = label("", "problem", wraps=True)
        self.freed = label("", "muted", wraps=True)
        self.others = label(tr("More models on this computer"), "heading")
        self._switches: set[str] = set()
        self._is_measured = False
        self._lacks_focus = False
        self._build()
        self._wire()

    def on_shown(self) -> None:
        """Asks for the models again, and shows a switch that is under way."""
        self._is_measured = False
        self.requests.refresh()
        self.offers.measure_all()
        self.take_focus()

    def take_focus(self) -> None:
        """The focus to the first thing that can be done with a model, once there is one.

        Not to what lies below what is seen.
        """
        for card in self.offers.cards.values():
            for part in (card.go, card.progress.pause):
                if part.isVisible():
                    part.setFocus()
                    self._lacks_focus = False
                    return
        self._lacks_focus = True

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Nobody waits for a measuring any more."""
        super().hideEvent(event)
        self.offers.stop_measuring()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """The window is no longer minimised: what was given up for that is begun anew."""
        super().showEvent(event)
        if event.spontaneous():
            self.offers.measure_all()

    def step_back(self) -> bool:
        """An open question is answered with no."""
        inquiries = [card.inquiry for card in self.offers.cards.values()]
        for inquiry in (*inquiries, *(row.inquiry for row in self.rows)):
            if inquiry.isVisible():
                inquiry.close_question()
                return True
        if self.question.isVisible():
            self._close_question()
            return True
        return False

    def _build(self) -> None:
        content = Column(GAP_L)
        content.column.addLayout(headed(tr("Models"), INTRO))
        content.column.addWidget(self.changing)
        content.column.addWidget(self.question)
        content.column.addWidget(self.problem)
        content.column.addLayout(self._choices)
        content.column.addWidget(label(SETS, "small", wraps=True))
        content.column.addWidget(self.device)
        content.column.addLayout(self._captioners)
        content.column.addWidget(self.others)
        content.column.addWidget(self.freed)
        self._list = in_column(gap=10)
        content.column.addLayout(self._list)
        content.column.addWidget(self.other)
        for part in (self.problem, self.device, self.others, self.freed):
            part.hide()
        self._area = scrolled(content)
        in_column(self._area, of=self)

    def _wire(self) -> None:
        self.requests.listed.connect(self._on_listed)
        self.requests.started.connect(self._on_started)
        self.requests.answered.connect(self._on_answered)
        self.requests.info_came.connect(self._on_info)
        self._tracker.job_changed.connect(self._on_job)
        self.requests.failed.connect(self._on_failed)
        self.requests.removed.connect(self._on_removed)
        self.offers.room_wanted.connect(self._show_others)
        self.changing.progress.control.connect(self._tracker.control)
        self.question.agreed.connect(self._use)
        self.question.closed.connect(self._close_question)
        self.other.wanted.connect(self._on_other)

    # What a person does -------------------------------------------------------------

    def _on_use(self, entry: ModelEntry) -> None:
        if self.requests.is_free(entry):
            self._use(entry.source)
        else:
            missing = round(self.requests.media * (1 - entry.coverage))
            self.question.ask(entry.source, entry.name, missing)
            self._area.ensureWidgetVisible(self.question)

    def _on_other(self, source: str) -> None:
        """Asks what it costs; of a path that leads nowhere it is said at once."""
        if is_path(source) and not Path(source).expanduser().exists():
            self._close_question()
            said = tr("There is no file or folder {path}. Check its name.", path=source)
            hide_or_say(self.problem, said)
            return
        hide_or_say(self.problem, "")
        self.question.ask(source, tr("this model"), self.requests.media)
        self._area.ensureWidgetVisible(self.question)

    def _use(self, source: str) -> None:
        hide_or_say(self.problem, "")
        self.requests.use(source)

    def _on_remove(self, entry: ModelEntry) -> None:
        self.requests.remove(entry.source)

    def _close_question(self) -> None:
        hide_part(self.question, self.other.source)

    def _show_others(self) -> None:
        """What can go to make room."""
        self.freed.setText(
            tr(
                "What takes room here and can be fetched again has “Remove…” beside it. Else make "
                "room on the disk, and try again."
            )
        )
        self.freed.show()
        self._area.ensureWidgetVisible(self.rows[-1] if self.rows else self.freed)

    # What the engine tells ----------------------------------------------------------

    def _on_listed(self) -> None:
        offered = self.offers.sources
        entries = [entry for entry in self.requests.models if entry.source not in offered]
        if entries != [row.entry for row in self.rows]:  # else an open question stays
            self._list_anew(entries)
        self.others.setVisible(bool(self.rows))
        if self._lacks_focus and self.isVisible():
            self.take_focus()
        if self.isVisible() and not self._is_measured:
            self._is_measured = True
            self.offers.measure_all()

    def _list_anew(self, entries: list[ModelEntry]) -> None:
        for old in self.rows:
            self._list.removeWidget(old)
            old.deleteLater()
        self.rows = [ModelRow(entry) for entry in entries]
        for row in self.rows:
            row.use_wanted.connect(self._on_use)
            row.remove_wanted.connect(self._on_remove)
            self._list.addWidget(row)

    def _on_info(self, answer: Info) -> None:
        hide_or_say(self.device, device_line(answer.model))

    def _on_job(self, job: JobValue) -> None:
        """Shows a switch to a model that has no card; the list tells which those are."""
        if job.id not in self._switches:
            return
        self.changing.show_job(job, is_update=self.requests.is_update)
        if not job.state.is_final:
            self.changing.show()
            return
        hide_part(self.changing, self.other.source)
        hide_or_say(self.problem, job.message if job.state is JobState.FAILED else "")

    def _on_started(self, source: str, job: JobValue) -> None:
        if source not in self.offers.cards:
            self._switches.add(job.id)
            if (known := self._tracker.find(job.id)) is not None:  # events overtook the answer
                self._on_job(known)

    def _on_answered(self, known: frozenset[str]) -> None:
        """A switch that the list was asked for after, and that is about no card's model."""
        for job in self._tracker.all():
            is_open = job.kind is JobKind.SWITCH_MODEL and not job.state.is_final
            is_new = job.id in known and job.id not in self._switches
            if is_open and is_new and not self.offers.has_job(job.id):
                self._switches.add(job.id)
                self._on_job(job)

    def _on_failed(self, source: str, error: object) -> None:
        if source not in self.offers.cards:
            hide_or_say(self.problem, str(error))

    def _on_removed(self, freed_bytes: int) -> None:
        said = tr("{size} are free again on the disk.", size=file_size(freed_bytes))
        hide_or_say(self.freed, said)


def is_path(source: str) -> bool:
    """True for what is meant as a path, not as a name in a hub."""
    return source.startswith("~") or os.path.isabs(source)  # noqa: PTH117 - as it was typed
