"""``cocadesk words``: captions, tags and stars by people, undo and history; the vocabulary."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from cocadesk.cli.commands.words_read import read
from cocadesk.cli.commands.words_tags import merge_tag, remove_tag, rename_tag, tags
from cocadesk.cli.commands.words_write import write
from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, absolute_paths, command
from cocadesk.cli.report import Report, failed_fields
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.protocol.messages import RedoAnnotations, UndoAnnotations, VocabularyReply
    from cocadesk.protocol.values import EditValue

app = typer.Typer(help="Your own captions, tags, stars and flags, with undo and history.")

app.command("read")(read)
app.command("write")(write)
app.command("tags")(tags)
app.command("rename-tag")(rename_tag)
app.command("merge-tag")(merge_tag)
app.command("remove-tag")(remove_tag)

# typer reads the annotations at run time, so they stay in the form that it knows.
TagsOption = Optional[list[str]]  # noqa: UP045


@app.command("set")
@command(takes_model=False)
def set_words(
    options: Options,
    report: Report,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Photos or videos of the library.")
    ],
    caption: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--caption", metavar="TEXT", help='Your caption; "" removes yours.'),
    ] = None,
    add_tag: Annotated[
        TagsOption, typer.Option("--add-tag", metavar="TAG", help="A tag that fits; repeatable.")
    ] = None,
    remove_tag: Annotated[
        TagsOption,
        typer.Option("--remove-tag", metavar="TAG", help="A tag that doesn't fit; repeatable."),
    ] = None,
    rate: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--rate", metavar="STARS", help="1 to 5 stars; 0: none."),
    ] = None,
    flag: Annotated[
        Optional[Literal["pick", "reject", "none"]],  # noqa: UP045
        typer.Option("--flag", help="Pick or reject it, or neither."),
    ] = None,
    favourite: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--favourite/--no-favourite", help="One of your favourites, or not."),
    ] = None,
    hidden: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--hide/--no-hide", help="In no list but that of hidden:yes, or in all."),
    ] = None,
) -> int:
    """Caption, tag and rate photos and videos yourself; the program never changes it.

    With --json: "changed" counts the photos and videos that changed.
    """
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply, GetKeys, Keys, SetAnnotations

    if (caption, rate, flag, favourite, hidden) == (None,) * 5 and not add_tag and not remove_tag:
        raise UserError(
            "There is nothing to set.",
            "",
            "Give --caption TEXT, --add-tag TAG, --remove-tag TAG, --rate STARS, --flag pick or "
            "--favourite or --hide.",
        )
    with open_engine(options, report, Access.WRITE) as engine:
        change = SetAnnotations(
            keys=engine.ask(GetKeys(paths=absolute_paths(paths)), Keys).keys,
            caption=caption,
            add_tags=tuple(add_tag or ()),
            remove_tags=tuple(remove_tag or ()),
            rating=rate,
            flag=flag,
            favourite=favourite,
            hidden=hidden,
        )
        done = engine.ask(change, AnnotationsReply)
    report.document({"changed": done.count, "title": done.title})
    report.line(f"{done.title}: set." if done.count else "No change.")
    return OK


@app.command("undo")
@command(takes_model=False)
def undo(options: Options, report: Report) -> int:
    """Undo the last command on captions, tags, stars, albums… as a whole, files included.

    With --json: "undone" counts the photos and videos whose captions, tags, stars, albums or
    files came back, "kept" names the files that somebody has changed since.
    """
    from cocadesk.protocol.messages import UndoAnnotations

    return _undo_or_redo(options, report, UndoAnnotations(), "undo")


@app.command("redo")
@command(takes_model=False)
def redo(options: Options, report: Report) -> int:
    """Redo the last command that was undone; see undo ("redone")."""
    from cocadesk.protocol.messages import RedoAnnotations

    return _undo_or_redo(options, report, RedoAnnotations(), "redo")


@app.command("history")
@command(takes_model=False)
def history(
    options: Options,
    report: Report,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A photo or video of the library.")],
) -> int:
    """List who captioned or tagged a photo or video, and when, oldest first."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import GetHistory, GetKeys, History, Keys

    with open_engine(options, report) as engine:
        (key,) = engine.ask(GetKeys(paths=absolute_paths([path])), Keys).keys
        edits = engine.ask(GetHistory(key=key), History).edits
    report.document({"edits": [_fields(edit) for edit in edits]})
    for edit in edits:
        undone = " (undone)" if edit.is_undone else ""
        change = f"{edit.old or '(nothing)'} → {edit.new or '(nothing)'}"
        when = datetime.fromisoformat(edit.when).astimezone().isoformat(" ", timespec="seconds")
        report.line(f"{when}  {edit.who}  {edit.field}: {change}{undone}")
    if not edits:
        report.line("It has no history yet.")
    return OK


@app.command("vocabulary")
@command()
def vocabulary(
    options: Options,
    report: Report,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="FILE", help="Your own tags: one a line, with commas, or a CSV."),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Go back to the tags that ship with CocaDesk.")
    ] = False,
) -> int:
    """Show the list that tags are chosen from, or set your own.

    All photos and videos are then tagged again from what was seen before; no file is
    read again.
    """
    from cocadesk.annotations.vocabulary import load_vocabulary
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import GetVocabulary, SetVocabulary, VocabularyReply
    from cocadesk.protocol.values import CaptionReport

    if file is not None and shipped:
        raise UserError("Choose one: a file of your own tags, or --shipped.")
    if file is None and not shipped:
        with open_engine(options, report) as engine:
            return _show_tags(report, engine.ask(GetVocabulary(), VocabularyReply))
    chosen = load_vocabulary(file) if file is not None else None
    for note in chosen.notes if chosen else ():
        report.note(note)
    tags = chosen.tags if chosen else ()
    with open_engine(options, report, Access.WRITE) as engine:
        done = do_job(engine, SetVocabulary(tags=tags), report).report
        tagged = done.described if isinstance(done, CaptionReport) else 0
        return _show_set_tags(report, engine.ask(GetVocabulary(), VocabularyReply), tagged)


def _undo_or_redo(
    options: Options, report: Report, body: UndoAnnotations | RedoAnnotations, verb: str
) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply

    with open_engine(options, report, Access.WRITE) as engine:
        done = engine.ask(body, AnnotationsReply)
    word = f"{verb}ne"
    report.document(
        {
            word: done.count,
            "title": done.title,
            "files": done.files,
            "kept": failed_fields(done.skipped),
        }
    )
    if not done.title:
        report.line(f"There is nothing to {verb}.")
    else:
        is_all_skipped = done.skipped and not done.count and not done.files
        report.line(f"{done.title}: {'nothing ' if is_all_skipped else ''}{word}.")
    report.failures(done.skipped)
    return OK


def _fields(edit: EditValue) -> dict[str, Any]:
    return {
        "when": edit.when,
        "who": edit.who,
        "field": edit.field,
        "old": edit.old or None,
        "new": edit.new or None,
        "undone": edit.is_undone,
    }


def _show_tags(report: Report, answer: VocabularyReply) -> int:
    report.document(_tags_fields(answer))
    if not report.as_json:
        report.note(f"{_count(answer)}{' of your own' if answer.is_own else ''}:")
    for tag in answer.tags:
        report.line(tag)
    return OK


def _show_set_tags(report: Report, answer: VocabularyReply, tagged: int) -> int:
    report.document({**_tags_fields(answer), "tagged": tagged})
    whose = "of your own" if answer.is_own else "that ship with CocaDesk"
    report.line(f"{_count(answer)} {whose}; photos and videos tagged again: {tagged:,}.")
    return OK


def _tags_fields(answer: VocabularyReply) -> dict[str, Any]:
    return {"tags": list(answer.tags), "is_own": answer.is_own}


def _count(answer: VocabularyReply) -> str:
    count = len(answer.tags)
    return f"{count:,} {'tag' if count == 1 else 'tags'}"
