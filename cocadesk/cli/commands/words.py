"""``cocadesk words``: captions, tags and stars by people, undo and history; the vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from cocadesk.cli.commands.words_read import read
from cocadesk.cli.commands.words_tags import merge_tag, remove_tag, rename_tag, tags
from cocadesk.cli.commands.words_write import write
from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, absolute_paths, command
from cocadesk.cli.parser import App
from cocadesk.cli.report import Report, failed_fields, moment
from cocadesk.cli.words import word
from cocadesk.errors import UserError, grouped, tr, tr_count

if TYPE_CHECKING:
    from cocadesk.protocol.messages import RedoAnnotations, UndoAnnotations, VocabularyReply
    from cocadesk.protocol.values import EditValue

app = App(help=tr("Your own captions, tags, stars and flags, with undo and history."))

app.command("read")(read)
app.command("write")(write)
app.command("tags")(tags)
app.command("rename-tag")(rename_tag)
app.command("merge-tag")(merge_tag)
app.command("remove-tag")(remove_tag)

# typer reads the annotations at run time, so they stay in the form that it knows.
TagsOption = Optional[list[str]]  # noqa: UP045


CaptionOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--caption", metavar=tr("TEXT"), help=tr('Your caption; "" removes yours.')),
]
AddTagOption = Annotated[
    TagsOption,
    typer.Option("--add-tag", metavar=tr("TAG"), help=tr("A tag that fits; repeatable.")),
]
RemoveTagOption = Annotated[
    TagsOption,
    typer.Option("--remove-tag", metavar=tr("TAG"), help=tr("A tag that doesn't fit; repeatable.")),
]
FlagOption = Annotated[
    Optional[Literal["pick", "reject", "none"]],  # noqa: UP045
    typer.Option("--flag", help=tr("Pick or reject it, or neither.")),
]
HiddenOption = Annotated[
    Optional[bool],  # noqa: UP045
    typer.Option("--hide/--no-hide", help=tr("In no list but that of hidden:yes, or in all.")),
]


@app.command("set")
@command(takes_model=False)
def set_words(
    options: Options,
    report: Report,
    paths: Annotated[
        list[str], typer.Argument(metavar=tr("PATH"), help=tr("Photos or videos of the library."))
    ],
    caption: CaptionOption = None,
    add_tag: AddTagOption = None,
    remove_tag: RemoveTagOption = None,
    rate: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--rate", metavar=tr("STARS"), help=tr("1 to 5 stars; 0: none.")),
    ] = None,
    flag: FlagOption = None,
    favourite: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--favourite/--no-favourite", help=tr("One of your favourites, or not.")),
    ] = None,
    hidden: HiddenOption = None,
) -> int:
    """Caption, tag and rate photos and videos yourself; the program never changes it.

    With --json: "changed" counts the photos and videos that changed.
    """
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply, GetKeys, Keys, SetAnnotations

    if (caption, rate, flag, favourite, hidden) == (None,) * 5 and not add_tag and not remove_tag:
        raise UserError(
            tr("There is nothing to set."),
            "",
            tr(
                "Give --caption TEXT, --add-tag TAG, --remove-tag TAG, --rate STARS, "
                "--flag pick or --favourite or --hide."
            ),
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
    report.line(tr("{title}: set.", title=done.title) if done.count else tr("No change."))
    return OK


@app.command("undo")
@command(takes_model=False)
def undo(options: Options, report: Report) -> int:
    """Undo the last command on captions, tags, stars, albums… as a whole, files included.

    With --json: "undone" counts the photos and videos whose captions, tags, stars, albums or
    files came back, "kept" names the files that somebody has changed since.
    """
    from cocadesk.protocol.messages import UndoAnnotations

    return _undo_or_redo(options, report, UndoAnnotations(), "undone")


@app.command("redo")
@command(takes_model=False)
def redo(options: Options, report: Report) -> int:
    """Redo the last command that was undone; see undo ("redone")."""
    from cocadesk.protocol.messages import RedoAnnotations

    return _undo_or_redo(options, report, RedoAnnotations(), "redone")


@app.command("history")
@command(takes_model=False)
def history(
    options: Options,
    report: Report,
    path: Annotated[
        str, typer.Argument(metavar=tr("PATH"), help=tr("A photo or video of the library."))
    ],
) -> int:
    """List who captioned or tagged a photo or video, and when, oldest first."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import GetHistory, GetKeys, History, Keys

    with open_engine(options, report) as engine:
        (key,) = engine.ask(GetKeys(paths=absolute_paths([path])), Keys).keys
        edits = engine.ask(GetHistory(key=key), History).edits
    report.document({"edits": [_fields(edit) for edit in edits]})
    for edit in edits:
        old, new = edit.old or tr("(nothing)"), edit.new or tr("(nothing)")
        change = f"{word(edit.field)}: {old} → {new}"
        if edit.is_undone:
            change = tr("{change} (undone)", change=change)
        report.line(f"{moment(edit.when)}  {word(edit.who)}  {change}")
    if not edits:
        report.line(tr("It has no history yet."))
    return OK


@app.command("vocabulary")
@command()
def vocabulary(
    options: Options,
    report: Report,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(
            metavar=tr("FILE"), help=tr("Your own tags: one a line, with commas, or a CSV.")
        ),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help=tr("Go back to the tags that ship with CocaDesk."))
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
        raise UserError(tr("Choose one: a file of your own tags, or --shipped."))
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
    options: Options, report: Report, body: UndoAnnotations | RedoAnnotations, name: str
) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply, UndoAnnotations

    with open_engine(options, report, Access.WRITE) as engine:
        done = engine.ask(body, AnnotationsReply)
    report.document(
        {
            name: done.count,
            "title": done.title,
            "files": done.files,
            "kept": failed_fields(done.skipped),
        }
    )
    is_undo = isinstance(body, UndoAnnotations)
    if not done.title:
        report.line(tr("There is nothing to undo.") if is_undo else tr("There is nothing to redo."))
    elif done.skipped and not done.count and not done.files:
        report.line(
            tr("{title}: nothing undone.", title=done.title)
            if is_undo
            else tr("{title}: nothing redone.", title=done.title)
        )
    else:
        report.line(
            tr("{title}: undone.", title=done.title)
            if is_undo
            else tr("{title}: redone.", title=done.title)
        )
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
        number = len(answer.tags)
        report.note(
            tr_count(number, "{n} tag of your own:", "{n} tags of your own:")
            if answer.is_own
            else tr_count(number, "{n} tag:", "{n} tags:")
        )
    for tag in answer.tags:
        report.line(tag)
    return OK


def _show_set_tags(report: Report, answer: VocabularyReply, tagged: int) -> int:
    report.document({**_tags_fields(answer), "tagged": tagged})
    number = len(answer.tags)
    tags = (
        tr_count(number, "{n} tag of your own", "{n} tags of your own")
        if answer.is_own
        else tr_count(
            number, "{n} tag that ships with CocaDesk", "{n} tags that ship with CocaDesk"
        )
    )
    again = tr("photos and videos tagged again: {number}.", number=grouped(tagged))
    report.line(f"{tags}; {again}")
    return OK


def _tags_fields(answer: VocabularyReply) -> dict[str, Any]:
    return {"tags": list(answer.tags), "is_own": answer.is_own}
