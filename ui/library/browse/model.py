"""The lists behind the side bar: sections, their entries, and what lies in these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from PySide6.QtCore import QModelIndex, QObject

from cocadesk.protocol.messages import BranchValue, ListValue
from ui.kit.plain_text import tip_of
from ui.kit.translation import grouped, tr
from ui.library.browse.lines import Lines, Node
from ui.library.browse.sections import (
    ALWAYS_THERE,
    ICONS,
    LISTS,
    ONLY_WITH_MEDIA,
    TIPS,
    TITLES,
    Section,
)

PAGE = 1000


class BrowseModel(Lines):
    """Sections at the top, below them what the engine has told of them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sections = {section: self._new_section(section) for section in Section}
        self.top.below = [self._sections[section] for section in Section if section in ALWAYS_THERE]
        self._shown = ""
        self._has_shown = False

    def section(self, section: Section) -> Node:
        """The head of a section, which may not be shown."""
        return self._sections[section]

    def is_shown(self, node: Node) -> bool:
        """True for the entry of the list that the grid shows."""
        return self._has_shown and node.is_list and node.query == self._shown

    def show_query(self, query: str | None) -> None:
        """Marks the entry of this query; None: no entry's list is shown."""
        self._shown, self._has_shown = query or "", query is not None
        self.layoutChanged.emit()

    def asked(self) -> Iterable[Node]:
        """The lines whose entries have come and are open, and sections that have no entry."""
        for section in self._sections.values():
            if section.is_open or not section.total:
                yield section
            if section.is_open:
                yield from _open_below(section)

    def more(self, node: Node) -> None:
        """Asks for more of what the line ``node`` stands for."""
        if node.left and node.above is not None:
            self.want(node.above, len(node.above.entries))

    # What comes -----------------------------------------------------------------------------

    def show_lists(self, lists: Sequence[ListValue]) -> None:
        """The lists that every library has."""
        section = self._sections[Section.LIBRARY]
        found = []
        for one in lists:
            if one.count or one.name not in ONLY_WITH_MEDIA:
                name, icon = LISTS[one.name]
                made = Node(0, Section.LIBRARY, section, one.name.value, name, icon, one.query)
                made.terms = one.terms
                made.sort, made.count, made.tip = one.sort, one.count, TIPS.get(one.name, "")
                found.append(made)
        section.total = len(found)
        self.put(section, found)

    def show_branches(
        self, above: Node, branches: Sequence[BranchValue], offset: int, total: int
    ) -> None:
        """Entries of a line, from the place ``offset`` on; ``total`` there are."""
        above.is_asked = False
        had_any, above.total = above.total > 0, total
        found = above.entries[:offset] + [self._new_branch(above, one) for one in branches]
        if total > len(found):
            left = total - len(found)
            name = tr(
                "Show {some} more of {left}", some=grouped(min(left, PAGE)), left=grouped(left)
            )
            found.append(Node(0, above.section, above, "\0more", name, left=left))
        self.put(above, found)
        if above.is_section:
            self._show_section(above)
        elif had_any != (total > 0):
            self.tell(above)

    def forget_asked(self) -> None:
        """Questions under way will not be answered any more."""
        for node in self.all_nodes():
            node.is_asked = False

    def _new_section(self, section: Section) -> Node:
        return self.number(Node(0, section, self.top, section.value, TITLES[section]))

    def _new_branch(self, above: Node, value: BranchValue) -> Node:
        made = Node(0, above.section, above, value.id, value.name or tr("Unnamed"))
        made.icon = ICONS[above.section]
        made.query, made.count, made.total = value.query, value.count, value.below
        made.value, made.terms = value, value.terms
        made.tip = _tip(value)
        return made

    def _show_section(self, section: Node) -> None:
        """Shows a section that has entries, and hides one that has none."""
        top = self.top.below
        is_wanted = section.total > 0 or section.section in ALWAYS_THERE
        if is_wanted and section not in top:
            order = list(Section)
            place = sum(order.index(one.section) < order.index(section.section) for one in top)
            self.beginInsertRows(QModelIndex(), place, place)
            top.insert(place, section)
            self.endInsertRows()
        elif not is_wanted and section in top:
            place = top.index(section)
            self.beginRemoveRows(QModelIndex(), place, place)
            top.remove(section)
            self.endRemoveRows()


def _tip(value: BranchValue) -> str:
    """The whole name, of a folder its path; and that its disk is away."""
    lines = [value.path.text if value.path is not None else value.name or tr("Unnamed")]
    if value.is_offline:
        lines.append(tr("On a disk that is not connected"))
    return tip_of(*lines)


def _open_below(node: Node) -> Iterator[Node]:
    for one in node.entries:
        if one.is_open and one.below:
            yield one
            yield from _open_below(one)
