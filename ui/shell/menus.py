"""The window's menus and its palette of commands, all from the list of actions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QRect, Qt
from PySide6.QtWidgets import QMenu, QTreeWidgetItem, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.values import Row
from ui.kit import desktop
from ui.kit.actions import Action, Actions, ActionSet, Group, without_argument
from ui.kit.layouts import in_column
from ui.kit.pick_list import PickList
from ui.kit.plain_text import button_text, tip_of
from ui.kit.programs import programs_for
from ui.kit.translation import tr

PALETTE_WIDTH_PX = 560
PALETTE_HEIGHT_PX = 430
PALETTE_TOP_PX = 70
ACTION_ROLE = int(Qt.ItemDataRole.UserRole)
SUBMENUS = (
    Group.LIBRARY,
    Group.PHOTO,
    Group.VIDEO,
    Group.ANNOTATIONS,
    Group.SUGGESTIONS,
    Group.RATING,
    Group.SAME,
    Group.LARGE,
    Group.VIEW,
)


def main_menu(actions: ActionSet, parent: QWidget) -> QMenu:
    """All actions; the larger groups in menus of their own."""
    menu = QMenu(parent)
    was_submenu = False
    for group in Group:
        is_submenu = group in SUBMENUS
        if not menu.isEmpty() and not (is_submenu and was_submenu):
            menu.addSeparator()
        target = menu.addMenu(group.value) if is_submenu else menu
        for entry in actions.of_group(group):
            target.addAction(actions[entry])
        was_submenu = is_submenu
    return menu


class PhotoMenu(QObject):
    """The menu of the photo under the pointer."""

    def __init__(
        self,
        actions: ActionSet,
        parent: QWidget,
        row: Callable[[], Row | None],
        say: Callable[[str], object],
    ) -> None:
        """``row`` gives the photo; ``say`` tells what could not be done."""
        super().__init__(parent)
        self._say = say
        self._actions = actions
        self._parent = parent
        self._row = row

    def build(self) -> QMenu:
        """A new menu; groups are set apart by lines. Of several files, each is offered."""
        menu = QMenu(self._parent)
        for group in Group:
            entries = [e for e in self._actions.of_group(group) if e.is_in_photo_menu]
            if entries and not menu.isEmpty():
                menu.addSeparator()
            for entry in entries:
                menu.addAction(self._actions[entry])
        suggested = menu.addMenu(Group.SUGGESTIONS.value)
        suggested.addActions([self._actions[e] for e in self._actions.of_group(Group.SUGGESTIONS)])
        said = menu.addMenu(Group.RATING.value)
        for entry in self._actions.of_group(Group.RATING):
            if entry.keys and len(entry.keys[0]) == 1 and not entry.is_in_photo_menu:
                said.addAction(self._actions[entry])
        row = self._row()
        if row is not None:
            self._add_programs(menu, row.path.to_str())
        if row is not None and any(part.path != row.path for part in row.parts):
            files = menu.addMenu(tr("Files of this photo"))
            for path in dict.fromkeys([row.path, *(part.path for part in row.parts)]):
                of_file = files.addMenu(Path(path.text).name.replace("&", "&&"))
                for text, show in (
                    (tr("Open in its program"), desktop.open_in_program),
                    (tr("Show in folder"), desktop.show_in_folder),
                ):
                    self._add(of_file, text, partial(show, path.to_str()))
        return menu

    def _add_programs(self, menu: QMenu, path: str) -> None:
        """The programs that the desktop has for such files, below the default one."""
        programs = programs_for(path)
        if programs:
            others = QMenu(tr("Open with"), menu)
            others.setObjectName("open-with")
            for program in programs:
                self._add(others, button_text(program.name), partial(program.open, path))
            menu.insertMenu(self._actions[Actions.SHOW_IN_FOLDER], others)

    def _add(self, menu: QMenu, text: str, act: Callable[[], object]) -> None:
        def run() -> None:
            try:
                act()
            except UserError as error:
                self._say(str(error))

        menu.addAction(text).triggered.connect(without_argument(run))

    def show(self, where: QPoint) -> None:
        """Pops the menu up at this place of the screen."""
        menu = self.build()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)


class CommandPalette(PickList):
    """Type a few letters, Enter runs the command; Esc closes."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__("palette", parent)
        self.setAccessibleName(tr("All commands"))
        self._actions = actions
        self.field.setPlaceholderText(tr("What do you want to do?"))
        self.field.setAccessibleName(tr("Command"))
        self.list.setAccessibleName(tr("Commands"))
        in_column(self.field, self.list, margins=(10, 10, 10, 10), of=self)
        self.field.textChanged.connect(self._fill)

    def open(self) -> None:
        """Shows it over the upper part of its parent; the focus goes back where it is now."""
        self.field.clear()
        self._fill()
        parent = self._parent
        width = min(PALETTE_WIDTH_PX, parent.width() - 40)
        height = min(PALETTE_HEIGHT_PX, parent.height() - 120)
        self.show_at(QRect((parent.width() - width) // 2, PALETTE_TOP_PX, width, height))

    def take(self) -> None:
        """Runs the command under the cursor."""
        item = self.list.currentItem()
        self.close_list()
        chosen = None if item is None else item.data(0, ACTION_ROLE)
        if isinstance(chosen, Action):
            self._actions[chosen].trigger()

    def _fill(self) -> None:
        self.list.clear()
        wanted = self.field.text().casefold().split()
        for entry in self._actions.entries:
            live = self._actions[entry]
            name = live.text().replace("&&", "&")
            text = f"{entry.group}: {name}"
            if live.isEnabled() and all(word in text.casefold() for word in wanted):
                item = QTreeWidgetItem([name, "".join(self._actions.key_texts(entry)[:1])])
                item.setData(0, ACTION_ROLE, entry)
                item.setToolTip(0, tip_of(text))
                self.list.addTopLevelItem(item)
        self.select(0)
