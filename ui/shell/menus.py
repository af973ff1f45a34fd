"""The window's menu and the menu of a photo, both from the list of actions."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu, QWidget

from ui.kit.actions import ActionSet, Group

SUBMENUS = (Group.PHOTO, Group.VIDEO, Group.ANNOTATIONS, Group.VIEW)


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

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self._parent = parent

    def build(self) -> QMenu:
        """A new menu; groups are set apart by lines."""
        menu = QMenu(self._parent)
        for group in Group:
            entries = [e for e in self._actions.of_group(group) if e.is_in_photo_menu]
            if entries and not menu.isEmpty():
                menu.addSeparator()
            for entry in entries:
                menu.addAction(self._actions[entry])
        return menu

    def show(self, where: QPoint) -> None:
        """Pops the menu up at this place of the screen."""
        menu = self.build()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)
