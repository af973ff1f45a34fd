"""The cards of the models page: each model, a switch under way, its price, another model."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLineEdit

from cocadesk.protocol.values import JobValue, ModelEntry
from ui.kit import desktop
from ui.kit.job_parts import JobProgress
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Card
from ui.kit.texts import count_media, file_size, job_line
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import button, label
from ui.models.inquiry import Inquiry

ADD_NOTE = tr(
    "For those who have one: choose the file or folder of a model on this computer, or type the "
    "name that it has on the public model hub (hf-hub:ORGANISATION/NAME or open_clip:NAME/TAG). "
    "A name that is not on this computer yet is fetched over the network; nothing else here "
    "goes online."
)
CHECKPOINTS = tr("Model files (*.safetensors *.pt *.bin);;All files (*)")
MEANWHILE = tr("search uses the old model until this is done")
MEANWHILE_UPDATED = tr("search finds what has been read by then")


class ModelRow(QFrame):
    """Its name, what it is, what it has read of the library; to be used, or removed where it can.

    Removing asks first.
    """

    use_wanted = Signal(object)
    remove_wanted = Signal(object)

    def __init__(self, entry: ModelEntry) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setProperty("chosen", entry.is_used)
        self.setAccessibleName(entry.name)
        self.entry = entry
        self.use = button(tr("Use"), on_click=self._on_use)
        self.use.setAccessibleName(tr("Use {name}", name=entry.name))
        self.badge = label(tr("In use"), "badge")
        head = in_row(label(entry.name, "heading"), self.badge, STRETCH, gap=GAP_M)
        texts = in_column(head, gap=3)
        if entry.note:
            texts.addWidget(label(entry.note[:1].upper() + entry.note[1:], wraps=True))
        source = label(facts(entry), "small", wraps=True)
        texts.addWidget(source)
        self.drop = button(tr("Remove…"), "link", on_click=self._on_remove)
        self.drop.setAccessibleName(tr("Remove {name}", name=entry.name))
        self.inquiry = Inquiry()
        line = in_row((texts, 1), self.drop, self.use, gap=GAP_L)
        in_column(line, self.inquiry, gap=GAP_M, margins=(18, 12, 14, 12), of=self)
        self.badge.setVisible(entry.is_used)
        self.use.setVisible(not entry.is_used and entry.is_for_search)
        self.drop.setVisible(entry.is_removable)

    def _on_use(self) -> None:
        self.use_wanted.emit(self.entry)

    def _on_remove(self) -> None:
        size = file_size(self.entry.size_bytes)
        self.inquiry.ask(
            tr("Remove {name}?", name=self.entry.name),
            [tr("That frees {size} on the disk. It can be fetched again.", size=size)],
            (tr("Remove"), lambda: self.remove_wanted.emit(self.entry)),
        )


def facts(entry: ModelEntry) -> str:
    """A model's source, its size, and how much of the library it has read."""
    # A zero-width space after each separator lets long sources wrap.
    parts = [entry.source.replace("/", "/\u200b")] if entry.source != entry.name else []
    if entry.size_bytes:
        parts.append(file_size(entry.size_bytes))
    parts.append(coverage(entry.coverage))
    return " · ".join(parts)


def coverage(share: float) -> str:
    """The part of the library that a model has read, as text."""
    if share >= 1.0:
        return tr("has read the whole library")
    if share <= 0.0:
        return tr("has not read the library yet")
    return tr("has read {percent} % of the library", percent=min(99, max(1, round(100 * share))))


class ChangingCard(Card):
    """A switch under way."""

    def __init__(self) -> None:
        super().__init__(tr("Switching models"))
        self.progress = JobProgress()
        self.column.addWidget(self.progress)
        self.hide()

    def show_job(self, job: JobValue, *, is_update: bool) -> None:
        """Shows how far the job is, and with which model is searched meanwhile."""
        self.heading.setText(job.title)
        line = job_line(job).rstrip(".")
        meanwhile = MEANWHILE_UPDATED if is_update else MEANWHILE
        self.progress.draw_job(job, f"{line} · {meanwhile}")


class QuestionCard(Card):
    """Asks before a switch that has to read photos; ``agreed`` carries the source."""

    agreed = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Switch models?"))
        self._source = ""
        self.text = label("", wraps=True)
        self.agree = button(tr("Switch"), "primary", on_click=self._on_agree)
        self.refuse = button(tr("Not now"), on_click=self.closed.emit)
        self.column.addWidget(self.text)
        row = in_row(self.agree, self.refuse, STRETCH, gap=GAP_M)
        self.column.addLayout(row)
        self.hide()

    def ask(self, source: str, name: str, missing: int) -> None:
        """Names the price of using a model: how many media it has not seen."""
        self._source = source
        self.heading.setText(tr("Switch to {name}?", name=name))
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
        super().__init__(tr("A model of your own"))
        self.source = QLineEdit()
        self.source.setAccessibleName(tr("Another model: a path or a name"))
        self.source.setPlaceholderText(tr("a path, hf-hub:… or open_clip:…"))
        self.source.returnPressed.connect(self._on_use)
        self.source.textChanged.connect(self._on_text)
        self.file = button(tr("File…"), on_click=self._on_file)
        self.folder = button(tr("Folder…"), on_click=self._on_folder)
        self.use = button(tr("Use it"), "primary", on_click=self._on_use)
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
        self._choose(desktop.ask_for_file(self, tr("Choose a model's file"), CHECKPOINTS))

    def _on_folder(self) -> None:
        self._choose(desktop.ask_for_folder(self, tr("Choose a model's folder")))

    def _choose(self, path: str | None) -> None:
        if path is not None:
            self.source.setText(path)
            self.source.setFocus()


def _price(missing: int) -> str:
    if missing <= 0:
        return tr("It can be used at once: it has read the whole library already.")
    return tr(
        "This model needs to read {media} again first. "
        "Search uses the current model until that is done. You can pause or stop it at any time; "
        "what has been read by then is kept.",
        media=count_media(missing),
    )
