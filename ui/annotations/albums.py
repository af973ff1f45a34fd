"""Albums and saved searches in the window: filled, opened, renamed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QCompleter, QLineEdit, QTreeWidgetItem, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AddToAlbum,
    Albums,
    AnnotationsReply,
    DeleteAlbum,
    DeleteSavedSearch,
    ListAlbums,
    ListSavedSearches,
    MoveInAlbum,
    NewAlbum,
    RemoveFromAlbum,
    RenameAlbum,
    RenameSavedSearch,
    RequestBody,
    SavedSearches,
    SaveSearch,
    album_filter,
    album_name,
)
from ui.annotations.editor import AnnotationEditor, FeedbackAction
from ui.annotations.ratings import targets
from ui.engine.link import EngineLink
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost, FramedDialog, table, table_line
from ui.kit.layouts import STRETCH, in_row
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import Notice, button, label
from ui.library.browser import Browser
from ui.library.grid import Grid

QUERY_ROLE = int(Qt.ItemDataRole.UserRole)
ALBUM, SEARCH = tr("Album"), tr("Saved search")
EMPTY = tr("Add photos to an album with B, save a search with Ctrl+S.")


class NameDialog(FramedDialog):
    """A field for one name, with those that there are already; ``named`` carries it."""

    named = Signal(str)

    def __init__(self, title: str, sentence: str, go: str, text: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.field = QLineEdit(text)
        self.field.setAccessibleName(tr("Name"))
        self.field.selectAll()
        self.problem = label("", "small", wraps=True)
        self.go = button(go, "primary", on_click=self._go)
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.field)
        self.column.addWidget(self.problem)
        self.column.addStretch(1)
        self.add_buttons(self.go)
        self.resize(460, 220)
        self.go.setDefault(True)
        self.field.textChanged.connect(self._update)
        self._update()

    def offer(self, names: list[str]) -> None:
        """Completes what is typed with one of these."""
        completer = QCompleter(names, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.field.setCompleter(completer)

    def say(self, problem: str) -> None:
        """Tells why the name can't be used."""
        self.problem.setText(problem)

    def _update(self) -> None:
        self.go.setEnabled(bool(self.field.text().strip()))

    def _go(self) -> None:
        self.named.emit(self.field.text().strip())


class AlbumsDialog(FramedDialog):
    """All albums and saved searches; ``opened`` carries the query of one, the rest its line."""

    opened = Signal(str)
    rename_wanted = Signal(str, str)
    delete_wanted = Signal(str, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Albums and saved searches"), parent)
        self.tree = table(
            tr("Albums and saved searches"), (tr("Name"), tr("Photos"), tr("Kind")), (260, 80)
        )
        self.tree.itemDoubleClicked.connect(self._open)
        self.tree.itemSelectionChanged.connect(self._update)
        self.none = label("", "muted", wraps=True)
        self.show_button = button(tr("Show"), "primary", on_click=self._open)
        self.rename = button(tr("Rename…"), on_click=lambda: self._emit(self.rename_wanted))
        self.delete = button(tr("Delete"), on_click=lambda: self._emit(self.delete_wanted))
        self.column.addWidget(self.none)
        self.column.addWidget(self.tree, 1)
        self.column.addLayout(in_row(self.rename, self.delete, STRETCH))
        self.add_buttons(self.show_button)
        self.resize(540, 420)
        self._update()

    def show_lists(self, albums: Albums, searches: SavedSearches) -> None:
        """The lines, albums first."""
        self.tree.clear()
        for album in albums.albums:
            self._add(album.name, grouped(album.count), ALBUM, album_filter(album.name))
        for search in searches.searches:
            number = "?" if search.problem else grouped(search.count)
            self._add(search.name, number, SEARCH, search.query)
        has_any = self.tree.topLevelItemCount() > 0
        self.none.setText("" if has_any else EMPTY)  # fmt: skip
        self.none.setVisible(not has_any)
        if (first := self.tree.topLevelItem(0)) is not None:
            self.tree.setCurrentItem(first)
        self._update()

    def names(self) -> list[str]:
        """The names that are listed."""
        items = (self.tree.topLevelItem(n) for n in range(self.tree.topLevelItemCount()))
        return [item.text(0) for item in items if item is not None]

    def _add(self, name: str, number: str, kind: str, query: str) -> None:
        line = table_line((name, number, kind))
        line.setData(0, QUERY_ROLE, (name, query))
        self.tree.addTopLevelItem(line)

    def _chosen(self) -> QTreeWidgetItem | None:
        return self.tree.currentItem()

    def _update(self) -> None:
        for one in (self.show_button, self.rename, self.delete):
            one.setEnabled(self._chosen() is not None)

    def _open(self) -> None:
        if (line := self._chosen()) is not None:
            self.opened.emit(line.data(0, QUERY_ROLE)[1])
            self.accept()

    def _emit(self, wanted: SignalInstance) -> None:
        if (line := self._chosen()) is not None:
            wanted.emit(line.text(2), line.data(0, QUERY_ROLE)[0])


class AlbumCommands(QObject):
    """Asks for names, sends the changes, and offers to take each back."""

    def __init__(
        self,
        link: EngineLink,
        editor: AnnotationEditor,
        grid: Grid,
        browser: Browser,
        notice: Notice,
        dialogs: DialogHost,
        search: Callable[[str], None],
    ) -> None:
        super().__init__(dialogs)
        self._link = link
        self._editor = editor
        self._grid = grid
        self._browser = browser
        self._notice = notice
        self._dialogs = dialogs
        self._search = search
        self._albums = Albums(albums=())
        self._other_names: dict[str, str] = {}
        browser.settled.connect(self._follow_name)

    def slots(self) -> Slots:
        """The slots of the actions about albums and saved searches."""
        return {
            Actions.ADD_TO_ALBUM: self._add,
            Actions.LEAVE_ALBUM: self._leave,
            Actions.MOVE_EARLIER: partial(self._move, -1),
            Actions.MOVE_LATER: partial(self._move, 1),
            Actions.ALBUMS: self._list,
            Actions.SAVE_SEARCH: self._save,
        }

    def new_album(self, keys: tuple[str, ...]) -> None:
        """Asks for the name of a new album with these media in it."""
        sentence = (
            tr_count(len(keys), "{n} photo to put in.", "{n} photos to put in.")
            if keys
            else tr("Photos can be added later.")
        )
        dialog = self._ask_name(tr("New album"), sentence, tr("Make album"), "")
        dialog.named.connect(
            lambda name: self._change(
                NewAlbum(name=name, keys=keys), tr("New album {name}", name=name), dialog
            )
        )

    def add_to(self, album: str, keys: tuple[str, ...]) -> None:
        """Puts media into an album."""
        text = _added(len(keys), album)
        self._change(AddToAlbum(album=album, keys=keys), text)

    def rename(self, kind: str, name: str, after: Callable[[], object] = lambda: None) -> None:
        """Asks for another name of an album or a saved search."""
        dialog = self._ask_name(
            tr("Rename {name}", name=name), tr("{kind}: a new name.", kind=kind), tr("Rename"), name
        )

        def on_named(new: str) -> None:
            body: RequestBody = (
                RenameAlbum(album=name, name=new)
                if kind == ALBUM
                else RenameSavedSearch(search=name, name=new)
            )
            self._change(
                body, tr("{name} is {new} now", name=name, new=new), dialog, lambda: on_renamed(new)
            )

        def on_renamed(new: str) -> None:
            if kind == ALBUM:
                self._other_names |= {name: new, new: name}
                self._show_renamed(name, new)
            after()

        dialog.named.connect(on_named)

    def _show_renamed(self, old: str, new: str) -> None:
        """The album is asked for by its new name, now and on the way back through lists."""
        self._browser.renamed.emit(album_filter(old), album_filter(new))
        before = self._browser.question
        query = before.renamed_term(album_filter(old), album_filter(new))
        if query != before:
            self._browser.ask(query)

    def _follow_name(self) -> None:
        """The album that is shown has its former name again, as its renaming was undone."""
        name = album_name(self._browser.query)
        other = self._other_names.get(name, "")
        if not other or self._browser.listing.problem is None:
            return

        def on_albums(answer: Albums) -> None:
            names = {album.name for album in answer.albums}
            if other in names and name not in names:
                self._show_renamed(name, other)

        self._link.ask(ListAlbums(), Albums, on_albums)

    def delete(self, kind: str, name: str, after: Callable[[], object] = lambda: None) -> None:
        """Deletes an album or a saved search, and offers to undo it."""
        body: RequestBody = (
            DeleteAlbum(album=name) if kind == ALBUM else DeleteSavedSearch(search=name)
        )
        self._change(body, tr("{kind} {name} deleted", kind=kind, name=name), None, after)

    def _add(self) -> None:
        keys = tuple(targets(self._grid))
        if not keys:
            return
        sentence = tr_count(
            len(keys), "{n} photo to add. A new name makes a new album.",
            "{n} photos to add. A new name makes a new album.",
        )  # fmt: skip
        dialog = self._ask_name(tr("Add to album"), sentence, tr("Add"), "")
        dialog.named.connect(lambda name: self._put(dialog, name, keys))
        self._link.ask(ListAlbums(), Albums, lambda answer: self._offer(dialog, answer))

    def _offer(self, dialog: NameDialog, answer: Albums) -> None:
        self._albums = answer
        if self._dialogs.current is dialog:
            dialog.offer([album.name for album in answer.albums])

    def _put(self, dialog: NameDialog, name: str, keys: tuple[str, ...]) -> None:
        known = {album.name.lower() for album in self._albums.albums}
        is_known = name.lower() in known
        body = AddToAlbum(album=name, keys=keys) if is_known else NewAlbum(name=name, keys=keys)
        self._change(body, _added(len(keys), name), dialog)

    def _leave(self) -> None:
        album, keys = album_name(self._browser.query), tuple(targets(self._grid))
        if not album:
            self._notice.say(tr("Show an album first"))
        elif keys:
            text = tr_count(
                len(keys), "Took {n} photo out of {album}", "Took {n} photos out of {album}",
                album=album,
            )  # fmt: skip
            self._change(RemoveFromAlbum(album=album, keys=keys), text)

    def _move(self, by: int) -> None:
        """One place on in the album that is shown: the whole selection, kept together."""
        album, keys = album_name(self._browser.query), targets(self._grid)
        if not album:
            self._notice.say(tr("Show an album first"))
            return
        if self._browser.listing.order:  # a move would not be seen
            self._notice.say(tr("Sort by the album's own order first, to move photos in it"))
            return
        order = self._grid.all_keys()
        moved = set(keys)
        places = [n for n, key in enumerate(order) if key in moved] or [0]
        at = places[0] - 1 if by < 0 else places[-1] + 2
        if 0 <= at <= len(order):
            before = order[at] if at < len(order) else None
            text = tr_count(len(keys), "Moved {n} photo", "Moved {n} photos")
            self._change(MoveInAlbum(album=album, keys=tuple(keys), before=before), text)

    def _save(self) -> None:
        query = self._browser.query
        if not query or not self._browser.listing.can_be_saved:
            self._notice.say(tr("Search for something first"))
            return
        sentence = tr("“{query}” is asked again each time you open it.", query=query)
        dialog = self._ask_name(tr("Save this search"), sentence, tr("Save"), "")
        dialog.named.connect(
            lambda name: self._change(
                SaveSearch(name=name, query=query), tr("Search {name} saved", name=name), dialog
            )
        )

    def _list(self) -> None:
        dialog = self._dialogs.open(AlbumsDialog)
        dialog.opened.connect(self._search)
        dialog.rename_wanted.connect(lambda kind, name: self.rename(kind, name, self._list))
        dialog.delete_wanted.connect(
            lambda kind, name: self.delete(kind, name, lambda: self._fill(dialog))
        )
        self._fill(dialog)

    def _fill(self, dialog: AlbumsDialog) -> None:
        """Asks for both lists; a dialog that is gone by then is left alone."""

        def on_searches(albums: Albums, searches: SavedSearches) -> None:
            if self._dialogs.current is dialog:
                dialog.show_lists(albums, searches)

        def on_albums(albums: Albums) -> None:
            self._link.ask(ListSavedSearches(), SavedSearches, partial(on_searches, albums))

        self._link.ask(ListAlbums(), Albums, on_albums)

    def _ask_name(self, title: str, sentence: str, go: str, text: str) -> NameDialog:
        return self._dialogs.open(lambda parent: NameDialog(title, sentence, go, text, parent))

    def _change(
        self,
        body: RequestBody,
        text: str,
        dialog: NameDialog | None = None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        """Sends a change; its dialog closes where it was taken, or says why not."""

        def on_done(answer: AnnotationsReply) -> None:
            if dialog is not None:
                dialog.accept()
            if answer.title:
                self._notice.say(text, FeedbackAction.UNDO.value, self._editor.undo)
            else:
                self._notice.say(tr("Nothing has changed"))
            after()
            if answer.title:
                self._browser.ask_again()

        def on_failed(error: UserError) -> None:
            if dialog is not None and self._dialogs.current is dialog:
                dialog.say(str(error))
            else:
                self._notice.say(str(error))

        self._link.ask(body, AnnotationsReply, on_done, on_failed=on_failed)


def _added(photos: int, album: str) -> str:
    return tr_count(
        photos, "Added {n} photo to {album}", "Added {n} photos to {album}", album=album
    )
