"""Photos and videos into the system's bin: asked about first, and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import FilesNoted, GetRows, NoteFiles, Rows
from cocadesk.protocol.paths import printable
from cocadesk.protocol.values import MediaKind, Row
from ui.engine.link import EngineLink
from ui.kit.bin import BinReport, BinWork
from ui.kit.texts import count_media
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import Notice
from ui.library.grid import Grid
from ui.library.results_model import ResultsModel
from ui.library.tasks import TaskDialog, Tasks

MAX_AT_ONCE = 500
NAMES_SHOWN = 40
WORDS_STAY = tr(
    "Captions, tags and stars stay in the library, and are there again once a file is back. "
    "Text and XMP files beside them stay where they are."
)
STANDS_FOR = tr("Photos that stand for others in the grid go alone; the others stay.")


@dataclass(slots=True, kw_only=True, eq=False)
class BinRun:
    """One move into the bin: the files by the keys of their media, and what came of it."""

    files: dict[str, tuple[str, ...]]
    report: BinReport = field(default_factory=BinReport)

    def moved(self) -> list[str]:
        """The keys of the media that lie in the bin."""
        done = {binned.path for binned in self.report.done}
        return [key for key, paths in self.files.items() if done.intersection(paths)]


class BinCommands(QObject):
    """Moves the files of media, with those that belong to them; the engine notes what is gone."""

    def __init__(
        self, tasks: Tasks, link: EngineLink, grid: Grid, model: ResultsModel, notice: Notice
    ) -> None:
        super().__init__(tasks)
        self._tasks = tasks
        self._link = link
        self._grid = grid
        self._model = model
        self._notice = notice
        self._runs: list[BinRun] = []

    def ask(self, keys: Sequence[str]) -> None:
        """Asks with number and names before anything is moved."""
        dialog = self._tasks.open(tr("Move to the bin"))
        if len(keys) > MAX_AT_ONCE:
            dialog.tell(
                tr(
                    "{selected} photos and videos are selected; {most} at most are moved to "
                    "the bin at once.",
                    selected=grouped(len(keys)),
                    most=grouped(MAX_AT_ONCE),
                )
            )
            return
        body = GetRows(keys=tuple(keys))
        self._tasks.run(
            dialog,
            tr("Looking at the files…"),
            body,
            Rows,
            lambda answer: self._ask(dialog, answer),
        )

    def _ask(self, dialog: TaskDialog, answer: Rows) -> None:
        rows = [row for row in answer.rows if row.state == "present"]
        away = len(answer.rows) - len(rows)
        left_out = ""
        if away:
            left_out = tr_count(
                away, "{n} photo or video left out: the file is not there now.",
                "{n} photos and videos left out: the files are not there now.",
            )  # fmt: skip
        if not rows:
            dialog.tell(tr("There is nothing to move."), small_print=left_out)
            return
        others = sum(len(files_of(row)) - 1 for row in rows)
        belongs = ""
        if others:
            belongs = tr_count(
                others, ", and {n} file that belongs to them", ", and {n} files that belong to them"
            )
        names = [printable(row.name) for row in rows[:NAMES_SHOWN]]
        more = len(rows) - len(names)
        marks = (self._model.groups.mark(row.key) for row in rows)
        stands = STANDS_FOR if any(mark and not mark.is_open for mark in marks) else ""
        dialog.ask(
            tr("Move {media}{belongs} to the system's bin?", media=_media(rows), belongs=belongs),
            tr("Move to the bin"),
            lines=[*names, *([tr("… and {more} more", more=grouped(more))] if more else [])],
            small_print=" ".join(part for part in (left_out, stands, WORDS_STAY) if part),
        )
        dialog.agreed.connect(lambda: self._move(dialog, rows))

    def _move(self, dialog: TaskDialog, rows: Sequence[Row]) -> None:
        dialog.agreed.disconnect()
        dialog.work(tr("Moving to the bin…"))
        run = BinRun(files={row.key: tuple(files_of(row)) for row in rows})
        work = BinWork(self)
        work.ended.connect(lambda report: self._on_moved(work, dialog, run, report))
        work.move(list(run.files.values()))

    def _on_moved(self, work: BinWork, dialog: TaskDialog, run: BinRun, report: BinReport) -> None:
        work.deleteLater()
        run.report = report
        if report.can_take_back:
            self._runs.append(run)
        step_off(self._grid, run.moved())
        self._note(run)
        said = tr_count(len(report.done), "{n} file moved to the bin", "{n} files moved to the bin")
        sentences = [sentence for _path, sentence in report.failed]
        offer = tr("Put back") if report.can_take_back else ""
        if self._tasks.stands(dialog) and sentences:
            dialog.tell(
                tr("{said}; {left} could not be.", said=said, left=grouped(len(sentences))),
                lines=sentences,
                go_on=offer,
            )
            dialog.agreed.connect(dialog.accept)
            dialog.agreed.connect(lambda: self._put_back(run))
            return
        if self._tasks.stands(dialog):
            dialog.accept()
        if sentences:
            said = tr(
                "{said}; {left} could not be. {first}",
                said=said,
                left=grouped(len(sentences)),
                first=sentences[0],
            )
        if offer:
            self._notice.say(said, offer, lambda: self._put_back(run))
        elif report.done:
            self._notice.say(tr("{said}. Take them out of it there", said=said.removesuffix(".")))
        else:
            self._notice.say(said)

    def take_back(self) -> None:
        """Puts back what went into the bin last; again, what went before it."""
        if not self._runs:
            self._notice.say(tr("Nothing was moved to the bin, or it can't tell where it lies"))
            return
        self._put_back(self._runs[-1])

    def _put_back(self, run: BinRun) -> None:
        if run not in self._runs:
            return  # it is back already, or on its way
        self._runs.remove(run)
        work = BinWork(self)
        work.ended.connect(lambda report: self._on_back(work, run, report))
        work.take_back(run.report.done)

    def _on_back(self, work: BinWork, run: BinRun, report: BinReport) -> None:
        work.deleteLater()
        self._note(run)
        if report.failed:
            self._notice.say(report.failed[0][1])
        else:
            self._notice.say(tr_count(len(report.done), "{n} file put back", "{n} files put back"))

    def _note(self, run: BinRun) -> None:
        self._link.ask(NoteFiles(keys=tuple(run.files)), FilesNoted, _nothing)


def step_off(grid: Grid, keys: Iterable[str]) -> None:
    """Moves the cursor to the next photo that is not among these, which leave the list."""
    going, here, results = set(keys), grid.currentIndex().row(), grid.results
    if grid.current_key() in going:
        places = (*range(here, results.rowCount()), *range(here, -1, -1))
        staying = (place for place in places if results.key_at(place) not in going)
        if (place := next(staying, None)) is not None:
            grid.go_to(place)


def _media(rows: Sequence[Row]) -> str:
    kinds = {row.kind for row in rows}
    if kinds == {MediaKind.PHOTO}:
        return tr_count(len(rows), "{n} photo", "{n} photos")
    if kinds == {MediaKind.VIDEO}:
        return tr_count(len(rows), "{n} video", "{n} videos")
    return count_media(len(rows))


def files_of(row: Row) -> list[str]:
    """All files of a medium, its own first; one inside another counts once."""
    paths = [row.path, *(part.path for part in row.parts)]
    return [path.to_str() for path in dict.fromkeys(paths)]


def _nothing(_answer: FilesNoted) -> None:
    pass
