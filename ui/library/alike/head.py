"""The head of the page of same pictures: labels with their numbers, and how far comparing is."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QToolButton, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import Groups
from cocadesk.protocol.values import GroupLabel, JobValue
from ui.kit.icons import Icon
from ui.kit.job_parts import JobProgress
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import headed, hide_or_say
from ui.kit.texts import job_line
from ui.kit.theme import GAP_M
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import button, label, tool
from ui.library.alike.members import TITLES
from ui.library.empty_states import EmptyState

TITLE = tr("Same pictures")
INTRO = tr(
    "Copies of a file, the same picture in another size or format, and bursts. Nothing is "
    "deleted here: reject what you don't want, and find it again with flag:reject."
)
LABELS: tuple[GroupLabel | None, ...] = (None, *GroupLabel)
TIPS = {
    None: tr("Show all"),
    GroupLabel.EXACT: tr("Show exact copies"),
    GroupLabel.SAME: tr("Show same pictures"),
    GroupLabel.BURST: tr("Show bursts"),
}

STARTING = EmptyState(
    icon=Icon.ENGINE, title=tr("Getting ready…"), text=tr("The engine is starting.")
)
COMPARING = EmptyState(
    icon=Icon.STACK, title=tr("Comparing pictures…"), text=tr("Groups appear here at the end.")
)
NONE_FOUND = EmptyState(
    icon=Icon.STACK,
    title=tr("No same pictures"),
    text=tr(
        "Copies, pictures in several sizes or formats, and bursts would be listed here. New "
        "photos are compared by themselves after they have been read."
    ),
    button=tr("Compare again"),
)


class GroupsHead(QWidget):
    """``chosen`` carries a label, None for all; ``again_wanted``: everything is to be compared."""

    chosen = Signal(object)
    again_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tabs = {shown: self._make_tab(shown) for shown in LABELS}
        self.again = button(tr("Compare again"), "link", on_click=self.again_wanted.emit)
        self.state = label("", "muted", wraps=True)
        self.progress = JobProgress()
        self.progress.hide()
        tabs = in_row(*self.tabs.values(), STRETCH, self.again, gap=2)
        in_column(
            headed(TITLE, INTRO), tabs, self.state, self.progress,
            gap=GAP_M, margins=(20, 18, 20, 2), of=self,
        )  # fmt: skip

    @property
    def is_working(self) -> bool:
        """True while a job compares."""
        return self.progress.job is not None and not self.progress.job.state.is_final

    def mark(self, chosen: GroupLabel | None) -> None:
        """Marks the label whose groups are shown."""
        for shown, tab in self.tabs.items():
            tab.setChecked(shown is chosen)

    def show_job(self, job: JobValue) -> None:
        """Shows how far the job that compares is."""
        self.progress.draw_job(job, f"{job.title}: {job_line(job)}")

    def show_numbers(self, answer: Groups, chosen: GroupLabel | None) -> None:
        """The number of groups on each tab, as far as the answer tells."""
        numbers: dict[GroupLabel | None, int] = {
            GroupLabel.EXACT: answer.exact,
            GroupLabel.SAME: answer.same,
            GroupLabel.BURST: answer.burst,
        }
        numbers[chosen] = answer.total
        for shown, number in numbers.items():
            title = _title(shown)
            self.tabs[shown].setText(f"{title}  {grouped(number)}")
            self.tabs[shown].setAccessibleName(
                f"{title}, {tr_count(number, '{n} group', '{n} groups')}"
            )

    def draw(self, waiting: int, *, has_groups: bool, is_connected: bool) -> None:
        """What is still to be compared, and what can be done about it."""
        is_working = self.is_working
        self.progress.setVisible(is_working)
        self.again.setVisible(has_groups)  # else there is a button in the middle
        self.again.setEnabled(not is_working and is_connected)
        tells = waiting and has_groups and not is_working
        hide_or_say(self.state, _still(waiting) if tells else "")

    def _make_tab(self, shown: GroupLabel | None) -> QToolButton:
        title = _title(shown)
        tab = tool(
            title,
            "tab",
            tip=TIPS[shown],
            on_click=partial(self.chosen.emit, shown),
        )
        tab.setCheckable(True)
        tab.setChecked(shown is None)
        return tab


def empty_state(
    problem: UserError | None, waiting: int, *, has_come: bool, is_working: bool
) -> EmptyState:
    """The texts where there are no groups to show."""
    if problem is not None:
        rest = " ".join(part for part in (problem.why, problem.what_to_do) if part)
        return EmptyState(icon=Icon.WARNING, title=problem.what, text=rest, button=tr("Try again"))
    if not has_come:
        return STARTING
    if is_working:
        return COMPARING
    if not waiting:
        return NONE_FOUND
    text = " ".join((_still(waiting), tr("This begins by itself once folders have been read.")))
    return EmptyState(
        icon=Icon.STACK, title=tr("Not compared yet"), text=text, button=tr("Compare now")
    )


def _title(shown: GroupLabel | None) -> str:
    return tr("All") if shown is None else TITLES[shown]


def _still(waiting: int) -> str:
    return tr_count(
        waiting, "{n} photo is still to be compared.", "{n} photos are still to be compared."
    )
