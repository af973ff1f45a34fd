"""The page of models: which one answers, which others there are, and changing over."""

from __future__ import annotations

import os
from pathlib import Path

from cocadesk.protocol.messages import Info
from cocadesk.protocol.values import JobKind, JobState, JobValue, ModelEntry
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.layouts import in_column
from ui.kit.page_parts import Column, Page, headed, hide_or_say, hide_part, scrolled
from ui.kit.texts import device_line
from ui.kit.theme import GAP_L
from ui.kit.translation import tr
from ui.kit.widgets import label
from ui.models.cards import ChangingCard, ModelRow, OtherCard, QuestionCard
from ui.models.requests import ModelRequests

INTRO = tr(
    "The model reads your photos, finds them by text and suggests captions. "
    "Another model may know more or run faster. Your photos, and your own "
    "captions and tags, stay as they are with any model."
)


class ModelsPage(Page):
    """Lists the models and changes over; asks first where that costs something."""

    def __init__(self, link: EngineLink, tracker: JobTracker) -> None:
        super().__init__()
        self.setAccessibleName(tr("Models"))
        self._tracker = tracker
        self.requests = ModelRequests(link, tracker, self)
        self.rows: list[ModelRow] = []
        self.changing = ChangingCard()
        self.question = QuestionCard()
        self.other = OtherCard()
        self.device = label("", "muted", wraps=True)
        self.problem = label("", "problem", wraps=True)
        self._build()
        self._wire()

    def on_shown(self) -> None:
        """Asks for the models again, and shows a switch that is under way."""
        for job in self._tracker.active():
            self._on_job(job)
        self.requests.refresh()
        self.other.source.setFocus()

    def _build(self) -> None:
        content = Column(GAP_L)
        content.column.addLayout(headed(tr("Models"), INTRO))
        content.column.addWidget(self.changing)
        content.column.addWidget(self.question)
        content.column.addWidget(self.problem)
        self._list = in_column(gap=10)
        content.column.addLayout(self._list)
        content.column.addWidget(self.device)
        content.column.addWidget(self.other)
        self.problem.hide()
        self.device.hide()
        in_column(scrolled(content), of=self)

    def _wire(self) -> None:
        self.requests.listed.connect(self._on_listed)
        self.requests.info_came.connect(self._on_info)
        self._tracker.job_changed.connect(self._on_job)
        self.requests.failed.connect(self._on_failed)
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

    def _on_other(self, source: str) -> None:
        """Asks what it costs; of a path that leads nowhere it is said at once."""
        if is_path(source) and not Path(source).expanduser().exists():
            self._close_question()
            said = tr("There is no file or folder {path}. Check its name.", path=source)
            hide_or_say(self.problem, said)
            return
        hide_or_say(self.problem, "")
        self.question.ask(source, tr("this model"), self.requests.media)

    def _use(self, source: str) -> None:
        hide_or_say(self.problem, "")
        self.requests.use(source)

    def _close_question(self) -> None:
        hide_part(self.question, self.other.source)

    # What the engine tells ----------------------------------------------------------

    def _on_listed(self) -> None:
        for old in self.rows:
            self._list.removeWidget(old)
            old.deleteLater()
        self.rows = [ModelRow(entry) for entry in self.requests.models]
        for row in self.rows:
            row.use_wanted.connect(self._on_use)
            self._list.addWidget(row)

    def _on_info(self, answer: Info) -> None:
        hide_or_say(self.device, device_line(answer.model))

    def _on_job(self, job: JobValue) -> None:
        if job.kind is not JobKind.SWITCH_MODEL:
            return
        self.changing.show_job(job, is_update=self.requests.is_update)
        if not job.state.is_final:
            self.changing.show()
            return
        hide_part(self.changing, self.other.source)
        hide_or_say(self.problem, job.message if job.state is JobState.FAILED else "")

    def _on_failed(self, error: object) -> None:
        hide_or_say(self.problem, str(error))


def is_path(source: str) -> bool:
    """True for what is meant as a path, not as a name in a hub."""
    return source.startswith("~") or os.path.isabs(source)  # noqa: PTH117 - as it was typed
