"""The page of models: which one answers, which others there are, and changing over."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    ControlJob,
    GetInfo,
    Info,
    JobChanged,
    JobReply,
    Jobs,
    ListJobs,
    ListModels,
    ModelChanged,
    Models,
    UseModel,
)
from cocadesk.protocol.values import (
    JobAction,
    JobKind,
    JobState,
    JobValue,
    ModelEntry,
    ModelState,
    ModelValue,
)
from ui import desktop
from ui.engine_link import EngineLink
from ui.models_row import ModelRow
from ui.page_parts import Card, Column, JobBar, headed, hide_or_say, hide_part, scrolled
from ui.texts import job_line
from ui.theme import Theme
from ui.widgets import button, label

INTRO = (
    "The model is what looks at your photos, finds them by words and describes them. Another one "
    "may know more or be quicker. Whichever you use, your photos and your own words stay as they "
    "are."
)
ADD_NOTE = (
    "A checkpoint file or folder on this computer, or a name: hf-hub:ORGANISATION/NAME or "
    "open_clip:NAME/TAG. A name that is not on this computer yet is fetched from the network; "
    "nothing else here goes online."
)
CHECKPOINTS = "Checkpoints (*.safetensors *.pt *.bin);;All files (*)"


class ModelsPage(QWidget):
    """Lists the models and changes over; asks first where that costs something."""

    def __init__(self, link: EngineLink, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Models")
        self._link = link
        self._theme = theme
        self._media = 0
        self._models: tuple[ModelEntry, ...] = ()
        self._asked: str | None = None
        self._job: JobValue | None = None
        self.rows: list[ModelRow] = []
        self.device = label("", "muted", wraps=True)
        self.problem = label("", "problem", wraps=True)
        self.question = label("", wraps=True)
        self.agree = button("Change over", "primary", on_click=self._on_agree)
        self.refuse = button("Not now", on_click=self._on_refuse)
        self.progress = JobBar()
        self.pause = button("Pause", on_click=self._on_pause)
        self.cancel = button("Cancel", on_click=self._on_cancel)
        self.source = QLineEdit()
        self.source.setAccessibleName("Another model: a path or a name")
        self.source.setPlaceholderText("a path, hf-hub:… or open_clip:…")
        self.source.returnPressed.connect(self._on_other)
        self.source.textChanged.connect(self._on_source)
        self.file = button("File…", on_click=self._on_file)
        self.folder = button("Folder…", on_click=self._on_folder)
        self.other = button("Use it", "primary", on_click=self._on_other)
        self._build()
        link.connected.connect(self._on_connected)
        link.happened.connect(self._on_event)

    def turned_to(self) -> None:
        """Asks for the models anew."""
        self._ask()
        self._link.ask(ListJobs(), Jobs, self._on_jobs)
        self.source.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """All colours come from the style sheet."""
        self._theme = theme

    def _build(self) -> None:
        theme = self._theme
        content = Column(theme.gap_l)
        content.column.addLayout(headed("Models", INTRO))
        content.column.addWidget(self._changing_card())
        content.column.addWidget(self._question_card())
        content.column.addWidget(self.problem)
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        content.column.addLayout(self._list)
        content.column.addWidget(self.device)
        content.column.addWidget(self._other_card())
        self.problem.hide()
        self.device.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(content, theme))

    def _changing_card(self) -> Card:
        self._changing = Card("Changing over", self._theme)
        row = QHBoxLayout()
        row.setSpacing(self._theme.gap_m)
        row.addWidget(self.progress, 1)
        row.addWidget(self.pause)
        row.addWidget(self.cancel)
        self._changing.column.addLayout(row)
        self._changing.hide()
        return self._changing

    def _question_card(self) -> Card:
        self._questioning = Card("Change over?", self._theme)
        self._questioning.column.addWidget(self.question)
        row = QHBoxLayout()
        row.setSpacing(self._theme.gap_m)
        row.addWidget(self.agree)
        row.addWidget(self.refuse)
        row.addStretch(1)
        self._questioning.column.addLayout(row)
        self._questioning.hide()
        return self._questioning

    def _other_card(self) -> Card:
        card = Card("Use another model", self._theme)
        card.column.addWidget(label(ADD_NOTE, "muted", wraps=True))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.source, 1)
        for part in (self.file, self.folder, self.other):
            row.addWidget(part)
        card.column.addLayout(row)
        self.other.setEnabled(False)
        return card

    # What a person does -------------------------------------------------------------

    def _on_use(self, entry: object) -> None:
        assert isinstance(entry, ModelEntry)
        if self._costs_nothing(entry):
            self._use(entry.source)
            return
        self._questioning.heading.setText(f"Change over to {entry.name}?")
        self._ask_first(entry.source, _price(round(self._media * (1 - entry.coverage))))

    def _on_other(self) -> None:
        source = self.source.text().strip()
        if source and self.other.isEnabled():
            self._questioning.heading.setText("Change over to this model?")
            self._ask_first(source, _price(self._media))

    def _ask_first(self, source: str, price: str) -> None:
        self._asked = source
        self.question.setText(price)
        self._questioning.show()
        self.agree.setFocus()

    def _on_agree(self) -> None:
        if self._asked is not None:
            self._use(self._asked)
        self._on_refuse()

    def _on_refuse(self) -> None:
        self._asked = None
        hide_part(self._questioning, self.source)

    def _use(self, source: str) -> None:
        hide_or_say(self.problem, "")
        self._link.ask(UseModel(source=source), JobReply, self._on_using, on_failed=self._on_failed)

    def _on_file(self) -> None:
        self._choose(desktop.ask_for_file(self, "Choose a checkpoint", CHECKPOINTS))

    def _on_folder(self) -> None:
        self._choose(desktop.ask_for_folder(self, "Choose a model's folder"))

    def _choose(self, path: str | None) -> None:
        if path is not None:
            self.source.setText(path)
            self.source.setFocus()

    def _on_source(self, text: str) -> None:
        self.other.setEnabled(bool(text.strip()))

    def _on_pause(self) -> None:
        is_paused = self._job is not None and self._job.state is JobState.PAUSED
        self._control(JobAction.RESUME if is_paused else JobAction.PAUSE)

    def _on_cancel(self) -> None:
        self._control(JobAction.CANCEL)

    def _control(self, action: JobAction) -> None:
        if self._job is not None:
            body = ControlJob(job_id=self._job.id, action=action)
            self._link.ask(body, JobReply, self._on_using, on_failed=self._on_failed)

    # What the engine tells ----------------------------------------------------------

    def _ask(self) -> None:
        self._link.ask(ListModels(), Models, self._on_models, on_failed=self._on_failed)
        self._link.ask(GetInfo(), Info, self._on_info)

    def _on_connected(self, _welcome: object) -> None:
        self.turned_to()

    def _on_models(self, answer: Models) -> None:
        if answer.models == self._models:
            return
        self._models = answer.models
        for old in self.rows:
            self._list.removeWidget(old)
            old.deleteLater()
        self.rows = [ModelRow(entry, self._theme) for entry in answer.models]
        for row in self.rows:
            row.use_wanted.connect(self._on_use)
            self._list.addWidget(row)

    def _on_info(self, answer: Info) -> None:
        self._media = answer.counts.media
        hide_or_say(self.device, device_line(answer.model))

    def _on_jobs(self, answer: Jobs) -> None:
        going = (
            job for job in answer.jobs if job.kind is JobKind.CHANGE_OVER and not job.state.is_final
        )
        if (job := next(going, None)) is not None:
            self._show_job(job)

    def _on_using(self, answer: JobReply) -> None:
        self._show_job(answer.job)

    def _on_failed(self, error: UserError) -> None:
        hide_or_say(self.problem, str(error))

    def _on_event(self, body: object) -> None:
        if isinstance(body, JobChanged) and body.job.kind is JobKind.CHANGE_OVER:
            self._show_job(body.job)
        elif isinstance(body, ModelChanged):
            self._ask()

    def _show_job(self, job: JobValue) -> None:
        was_final = self._job is None or self._job.state.is_final
        self._job = job
        is_over = job.state.is_final
        self._changing.heading.setText(job.title)
        if is_over:
            hide_part(self._changing, self.source)
        else:
            self._changing.show()
        self.pause.setText("Go on" if job.state is JobState.PAUSED else "Pause")
        self.progress.say(
            f"{job_line(job)} Search answers with the old model until it is done."
            if job.state is JobState.PAUSED
            else f"{job_line(job)} · search answers with the old model until it is done",
            job.done,
            job.total,
        )
        if is_over and (not was_final or job.state is not JobState.CANCELLED):
            hide_or_say(self.problem, job.message if job.state is JobState.FAILED else "")
            self._ask()

    def _costs_nothing(self, entry: ModelEntry) -> bool:
        """Whether the vectors that are there serve this model too."""
        used = next((model for model in self._models if model.is_used), None)
        is_same = used is not None and bool(entry.image_id) and entry.image_id == used.image_id
        return is_same or entry.coverage >= 1.0


def device_line(model: ModelValue) -> str:
    """Where the model in use runs, and why there."""
    if model.state is ModelState.FAILED:
        return f"The model could not be opened. {model.reason}".strip()
    if model.state is not ModelState.READY:
        return "The model is being opened…"
    where = f"It runs on {_device(model.device)}"
    if model.precision:
        where += f" in {model.precision}"
    return f"{where}: {model.reason.rstrip('.')}." if model.reason else f"{where}."


def _device(name: str) -> str:
    if name == "cpu":
        return "the processor (CPU)"
    return f"the graphics card ({name})" if name.startswith("cuda") else name or "this computer"


def _price(missing: int) -> str:
    if missing <= 0:
        return "It can answer at once: it has seen the whole library."
    what = "1 photo or video" if missing == 1 else f"{missing:,} photos and videos"
    return (
        f"It sees in a way of its own, so it has to look at {what} first. Search goes on with "
        "the model in use meanwhile; then all changes over at once. You can pause or cancel it, "
        "and what was done is kept."
    )
