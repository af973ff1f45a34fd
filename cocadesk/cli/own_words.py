"""``cocadesk words set | undo | redo | history``: what people say of their photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocadesk.cli import session
from cocadesk.cli.guard import OK
from cocadesk.cli.options import Options
from cocadesk.cli.own_place import OwnPlace, member_keys, place_for_own_words
from cocadesk.cli.report import Failed, Report, failed_fields
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.annotations import AnnotationEdit
    from cocadesk.annotations.history import PastEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """What a command has changed: photos, files beside them, files left alone."""

    count: int
    title: str
    files: int
    kept: tuple[Failed, ...]


def set_words(options: Options, report: Report, paths: Sequence[str], wish: AnnotationEdit) -> int:
    """Says what the person says of these photos, as one command."""
    if wish.caption is None and not wish.add_tags and not wish.remove_tags:
        raise UserError(
            "There is nothing to set.",
            "",
            "Give --caption TEXT, --add-tag TAG or --remove-tag TAG.",
        )
    with place_for_own_words(options) as place:
        changed = _set(place, member_keys(place.library, paths), wish)
    if report.as_json:
        report.document({"changed": changed.count, "title": changed.title})
    else:
        report.line(f"{changed.title}: set." if changed.count else "No change.")
    return OK


def undo(options: Options, report: Report) -> int:
    """Takes the last command back."""
    return _turn(options, report, is_undo=True)


def redo(options: Options, report: Report) -> int:
    """Does again what was last undone."""
    return _turn(options, report, is_undo=False)


def _turn(options: Options, report: Report, *, is_undo: bool) -> int:
    with place_for_own_words(options) as place:
        changed = _undo_or_redo(place, is_undo=is_undo)
    word = "undone" if is_undo else "redone"
    if report.as_json:
        report.document(
            {
                word: changed.count,
                "title": changed.title,
                "files": changed.files,
                "kept": failed_fields(changed.kept),
            }
        )
    elif not changed.title:
        report.line(f"There is nothing to {'undo' if is_undo else 'redo'}.")
    else:
        is_all_kept = changed.kept and not changed.count and not changed.files
        report.line(f"{changed.title}: {'nothing ' if is_all_kept else ''}{word}.")
    report.failures(changed.kept)
    return OK


def _set(place: OwnPlace, keys: Sequence[str], wish: AnnotationEdit) -> _Changed:
    if place.engine is not None:
        from cocadesk.protocol.messages import SetAnnotations

        body = SetAnnotations(
            keys=tuple(keys),
            caption=wish.caption,
            add_tags=wish.add_tags,
            remove_tags=wish.remove_tags,
        )
        return _asked(place, body)
    from cocadesk.annotations import HumanAnnotations

    return _done(HumanAnnotations(place.library).set(keys, wish))


def _undo_or_redo(place: OwnPlace, *, is_undo: bool) -> _Changed:
    if place.engine is not None:
        from cocadesk.protocol.messages import RedoAnnotations, UndoAnnotations

        return _asked(place, UndoAnnotations() if is_undo else RedoAnnotations())
    from cocadesk.annotations import HumanAnnotations

    words = HumanAnnotations(place.library)
    return _done(words.undo() if is_undo else words.redo())


def _asked(place: OwnPlace, body: Any) -> _Changed:
    from cocadesk.protocol.messages import AnnotationsReply

    assert place.engine is not None
    reply = place.engine.ask(body, AnnotationsReply)
    return _Changed(
        count=len(reply.changed),
        title=reply.title,
        files=reply.files,
        kept=tuple(Failed(path=i.path.to_bytes(), reason=i.reason) for i in reply.kept),
    )


def _done(change: Any) -> _Changed:
    return _Changed(
        count=len(change.keys),
        title=change.title,
        files=change.files,
        kept=tuple(Failed(path=item.path, reason=item.reason) for item in change.kept),
    )


def history(options: Options, report: Report, path: str) -> int:
    """Prints who has said what of a photo; it only reads, so it needs no engine."""
    from cocadesk.annotations import HumanAnnotations

    session.check_library(options)
    with session.reading_library(options) as library:
        edits = HumanAnnotations(library).history(member_keys(library, [path])[0])
    if report.as_json:
        report.document({"edits": [_fields(edit) for edit in edits]})
    for edit in edits:
        undone = " (undone)" if edit.is_undone else ""
        said = f"{edit.old or '(nothing)'} → {edit.new or '(nothing)'}"
        when = edit.when.astimezone().isoformat(" ", timespec="seconds")
        report.line(f"{when}  {edit.who}  {edit.field}: {said}{undone}")
    if not edits:
        report.line("Nobody has said anything of it.")
    return OK


def _fields(edit: PastEdit) -> dict[str, Any]:
    return {
        "when": edit.when.isoformat(timespec="milliseconds"),
        "who": edit.who,
        "field": edit.field,
        "old": edit.old or None,
        "new": edit.new or None,
        "undone": edit.is_undone,
    }
