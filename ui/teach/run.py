"""One run: how far it is, its curves, what came of it, and what to do with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    RunState,
    RunValue,
    TeachPoint,
    TuningMethod,
    changed,
)
from ui.kit.job_parts import JobProgress
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Card, Column, hide_or_say, hide_part, scrolled
from ui.kit.texts import moment
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import button, label, restyle
from ui.teach.curve import Curve, Line
from ui.teach.figures import Figures
from ui.teach.texts import duration, photos_and_captions, progress_line, run_title, verdict

AT_ONCE = tr(
    "Search uses it now, on the photos of your library: a folder that you "
    "taught from is found there once you have added it. You can change to "
    "another model on the Models page at any time."
)
LATER = tr(
    "Search uses it once every photo has been read again; the Models page shows the progress."
)
LOSS = "loss"
OWN = "yours"
GENERAL = "others"


class RunView(QWidget):
    """Shows one run in any state; what a person wants of it is said by signals."""

    decided = Signal(bool)
    search_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Run"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.run: RunValue | None = None
        self.title = label("", "title", wraps=True)
        self.about = label("", "muted", wraps=True)
        self.progress = JobProgress()
        self.loss = Curve(tr("Training loss"), (Line(name=LOSS, colour="accent"),))
        self.gain = Curve(
            tr("Right photo found, %"),
            (
                Line(name=OWN, colour="accent", has_marks=True),
                Line(name=GENERAL, colour="muted", has_marks=True, is_dashed=True),
            ),
            values=(0.0, 100.0),
        )
        self.gain.setToolTip(tr("The mean over the first 1, 5 and 10 results of a search"))
        self.verdict = label("", "caption", wraps=True)
        self.figures = Figures()
        self.keep = button(tr("Keep it"), "primary", on_click=self._on_keep)
        self.discard = button(tr("Discard it"), on_click=self._on_discard)
        self.price = label("", "muted", wraps=True)
        self.kept = label("", "muted", wraps=True)
        self.attempt = QLineEdit()
        self.attempt.setAccessibleName(tr("Try it: search with what it has learned"))
        self.attempt.returnPressed.connect(self._on_attempt)
        self.search = button(tr("Search"), "primary", on_click=self._on_attempt)
        self._build()
        self.clear()

    def clear(self) -> None:
        """Shows nothing, until the run is known: no choice of another one stays in its place."""
        self.run = None
        self.title.clear()
        self.about.clear()
        for card in (self._running, self._trying, self._outcome, self._curves):
            hide_part(card, self)

    def show_run(self, run: RunValue, job: JobValue | None) -> None:
        """Shows the run as it is now; its curve comes by ``show_points``."""
        is_other = self.run is None or self.run.id != run.id
        self.run = run
        self.title.setText(run_title(run))
        self.about.setText(_about(run))
        self._show_running(run, job)
        self._show_outcome(run)
        self._show_attempt(run, is_other)

    def show_points(self, points: Sequence[TeachPoint]) -> None:
        """Shows the curve so far."""
        run = self.run
        last = run.steps // 2 if run is not None and run.is_trial else 0  # of the trial
        loss = [(p.step, p.loss) for p in points if p.loss is not None]
        self.loss.set_points({LOSS: parted(loss, last)})
        own = [(p.step, p.own) for p in points if p.own is not None]
        general = [(p.step, p.general) for p in points if p.general is not None]
        self.gain.set_points({OWN: own, GENERAL: general})
        self._curves.setVisible(len(points) > 1)
        self.gain.setVisible(len(own) > 1 or len(general) > 1)

    def _build(self) -> None:
        content = Column(GAP_L)
        head = in_column(self.title, self.about, gap=4)
        content.column.addLayout(head)
        content.column.addWidget(self._progress_card())
        content.column.addWidget(self._attempt_card())
        content.column.addWidget(self._outcome_card())
        self._curves = Card(tr("While it learned"))
        curves = in_row((self.loss, 1), (self.gain, 1), gap=GAP_L)
        self._curves.column.addLayout(curves)
        content.column.addWidget(self._curves)
        in_column(scrolled(content), of=self)

    def _progress_card(self) -> Card:
        self._running = Card(tr("Learning"))
        self._running.column.addWidget(self.progress)
        return self._running

    def _outcome_card(self) -> Card:
        self._outcome = Card(tr("Result"))
        self._outcome.column.addWidget(self.verdict)
        self._outcome.column.addWidget(self.figures)
        self._outcome.column.addWidget(self.price)
        row = in_row(self.keep, self.discard, STRETCH, gap=GAP_M)
        self._outcome.column.addLayout(row)
        return self._outcome

    def _attempt_card(self) -> Card:
        self._trying = Card(tr("Kept"))
        self._trying.column.addWidget(self.kept)
        row = in_row((self.attempt, 1), self.search, gap=GAP_M)
        self._trying.column.addLayout(row)
        return self._trying

    def _show_running(self, run: RunValue, job: JobValue | None) -> None:
        is_over = run.state is not RunState.RUNNING or (job is not None and job.state.is_final)
        if is_over:
            hide_part(self._running, self)
        else:
            self._running.show()
        self._curves.heading.setText(tr("While it learned") if is_over else tr("While it learns"))
        if is_over:
            return
        self.progress.draw_job(_shown_job(run, job), progress_line(run, job))
        for choice in (self.progress.pause, self.progress.cancel):
            choice.setEnabled(job is not None)

    def _show_outcome(self, run: RunValue) -> None:
        is_waiting = run.state is RunState.WAITING
        has_figures = bool(run.after)
        self._outcome.setVisible(is_waiting or has_figures or bool(run.message))
        said = verdict(run) if is_waiting or has_figures else None
        self._outcome.heading.setText(tr("Result") if said else tr("How it ended"))
        hide_or_say(self.verdict, run.message if said is None else said.text)
        self.figures.setVisible(has_figures)
        if has_figures:
            self.figures.show_run(run)
        hide_or_say(self.price, _price(run) if is_waiting else "")
        advises = said is not None and said.advises_keeping
        for choice, is_advised in ((self.keep, advises), (self.discard, not advises)):
            if not is_waiting:
                hide_part(choice, self)
            choice.setVisible(is_waiting)
            choice.setEnabled(True)
            _set_role(choice, "primary" if is_advised else "")

    def _show_attempt(self, run: RunValue, is_other: bool) -> None:
        self._trying.setVisible(run.state is RunState.KEPT)
        self.kept.setText(LATER if run.reembed_seconds > 0 else AT_ONCE)
        if is_other:
            self.attempt.clear()
        self.attempt.setPlaceholderText(tr("Try it: search by a name that it has learned"))

    def _on_keep(self) -> None:
        self._decide(keep=True)

    def _on_discard(self) -> None:
        self._decide(keep=False)

    def _decide(self, *, keep: bool) -> None:
        self.keep.setEnabled(False)
        self.discard.setEnabled(False)
        self.decided.emit(keep)

    def _on_attempt(self) -> None:
        if text := self.attempt.text().strip():
            self.search_wanted.emit(text)


def _shown_job(run: RunValue, job: JobValue | None) -> JobValue:
    """The job as its bar shows it: a stage of one step only moves the bar."""
    if job is None:
        return JobValue(
            id=run.id,
            kind=JobKind.TEACH,
            title=run.title,
            state=JobState.RUNNING,
            done=run.step,
            total=run.steps or None,
        )
    return job if (job.total or 0) > 1 else changed(job, total=None)


def _about(run: RunValue) -> str:
    parts = [photos_and_captions(run.photos, run.captions)] if run.photos else []
    if run.method is TuningMethod.DEEPER:
        parts.append(tr("names and new things"))
    if run.seconds:
        parts.append(tr("learned in {duration}", duration=duration(run.seconds)))
    if when := moment(run.created):
        parts.append(when)
    return " · ".join(parts)


def _price(run: RunValue) -> str:
    trial = (
        tr_count(
            run.photos,
            "The figures come from a trial. The model that you keep has learned from {n} photo.",
            "The figures come from a trial. The model that you keep has learned from all "
            "{n} photos.",
        )
        + " "
        if run.is_trial and run.photos
        else ""
    )
    if run.reembed_seconds > 0:
        return trial + (
            tr(
                "If you keep it, every photo of the library is read again, {duration}; "
                "until then search works as before.",
                duration=duration(run.reembed_seconds),
            )
        )
    return trial + tr("If you keep it, search uses it at once. You can go back on the Models page.")


def _set_role(part: QWidget, role: str) -> None:
    if part.property("role") != role:
        part.setProperty("role", role)
        restyle(part)


def parted(points: Sequence[tuple[int, float]], last: int) -> list[tuple[int, float]]:
    """The points with a gap behind this step, at which a trial ends and the run begins anew."""
    at = next((n for n, (step, _value) in enumerate(points) if step > last), 0)
    gap = [(last, math.nan)] if last and at else []
    return [*points[:at], *gap, *points[at:]]
