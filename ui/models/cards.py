"""The cards of the models page: changing over, what it costs, and another model."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from cocadesk.protocol.values import JobValue
from ui.jobs.frame import JobProgress
from ui.kit import desktop
from ui.kit.layouts import STRETCH, in_row
from ui.kit.page_parts import Card
from ui.kit.texts import job_line
from ui.kit.theme import GAP_M
from ui.kit.widgets import button, label

ADD_NOTE = (
    "A checkpoint file or folder on this computer, or a name: hf-hub:ORGANISATION/NAME or "
    "open_clip:NAME/TAG. A name that is not on this computer yet is fetched from the network; "
    "nothing else here goes online."
)
CHECKPOINTS = "Checkpoints (*.safetensors *.pt *.bin);;All files (*)"
MEANWHILE = "search uses the old model until this is done"


class ChangingCard(Card):
    """A switch under way."""

    def __init__(self) -> None:
        super().__init__("Switching models")
        self.progress = JobProgress()
        self.column.addWidget(self.progress)
        self.hide()

    def show_job(self, job: JobValue) -> None:
        """Shows how far the job is."""
        self.heading.setText(job.title)
        line = job_line(job).rstrip(".")
        self.progress.draw_job(job, f"{line} · {MEANWHILE}")


class QuestionCard(Card):
    """Asks before a switch that has to read photos; ``agreed`` carries the source."""

    agreed = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Switch models?")
        self._source = ""
        self.text = label("", wraps=True)
        self.agree = button("Switch", "primary", on_click=self._on_agree)
        self.refuse = button("Not now", on_click=self.closed.emit)
        self.column.addWidget(self.text)
        row = in_row(self.agree, self.refuse, STRETCH, gap=GAP_M)
        self.column.addLayout(row)
        self.hide()

    def ask(self, source: str, name: str, missing: int) -> None:
        """Names the price of using a model: how many media it has not seen."""
        self._source = source
        self.heading.setText(f"Switch to {name}?")
        self.text.setText(_price(missing))
        self.show()
        self.agree.setFocus()

    def _on_agree(self) -> None:
        self.agreed.emit(self._source)
        self.closed.emit()


class OtherCard(Card):
    """A model by a path or a name; ``wanted`` carries it."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("Use another model")
        self.source = QLineEdit()
        self.source.setAccessibleName("Another model: a path or a name")
        self.source.setPlaceholderText("a path, hf-hub:… or open_clip:…")
        self.source.returnPressed.connect(self._on_use)
        self.source.textChanged.connect(self._on_text)
        self.file = button("File…", on_click=self._on_file)
        self.folder = button("Folder…", on_click=self._on_folder)
        self.use = button("Use it", "primary", on_click=self._on_use)
        self.use.setEnabled(False)
        self.column.addWidget(label(ADD_NOTE, "muted", wraps=True))
        row = in_row((self.source, 1), gap=8)
        for part in (self.file, self.folder, self.use):
            row.addWidget(part)
        self.column.addLayout(row)

    def _on_text(self, text: str) -> None:
        self.use.setEnabled(bool(text.strip()))

    def _on_use(self) -> None:
        if source := self.source.text().strip():
            self.wanted.emit(source)

    def _on_file(self) -> None:
        self._choose(desktop.ask_for_file(self, "Choose a checkpoint", CHECKPOINTS))

    def _on_folder(self) -> None:
        self._choose(desktop.ask_for_folder(self, "Choose a model's folder"))

    def _choose(self, path: str | None) -> None:
        if path is not None:
            self.source.setText(path)
            self.source.setFocus()


def _price(missing: int) -> str:
    if missing <= 0:
        return "It can be used at once: it has read the whole library already."
    what = "1 photo or video" if missing == 1 else f"{missing:,} photos and videos"
    return (
        f"This model needs to read {what} again first. Search uses the current model until that "
        "is done. You can pause or stop it at any time; what has been read by then is kept."
    )
