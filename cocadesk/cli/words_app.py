"""``cocadesk words …``: the commands on words that people own, their arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from cocadesk.cli.arguments import JsonOption, LibraryOption, ModelOption, run
from cocadesk.cli.options import Choices

words_app = typer.Typer(help="Your own words: captions and tags, with undo and history.")

# typer reads the annotations at run time, so they stay in the form that it knows.
TagsOption = Optional[list[str]]  # noqa: UP045


@words_app.command("set")
def words_set(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Photos or videos of the library.")
    ],
    caption: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--caption", metavar="TEXT", help='Your caption; "" takes yours away.'),
    ] = None,
    add_tag: Annotated[
        TagsOption, typer.Option("--add-tag", metavar="TAG", help="A tag that fits; repeatable.")
    ] = None,
    remove_tag: Annotated[
        TagsOption,
        typer.Option("--remove-tag", metavar="TAG", help="A tag that doesn't fit; repeatable."),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say yourself what photos and videos show. Machines never change it.

    With --json: "changed" counts the photos and videos whose words changed.
    """
    from cocadesk.annotations import AnnotationEdit
    from cocadesk.cli.own_words import set_words as command

    def edit() -> AnnotationEdit:
        return AnnotationEdit(
            caption=caption, add_tags=tuple(add_tag or ()), remove_tags=tuple(remove_tag or ())
        )

    choices = Choices(library=library, as_json=as_json)
    run(context, choices, lambda options, report: command(options, report, paths, edit()))


@words_app.command("undo")
def words_undo(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """Take the last command on words back whole, written files included.

    With --json: "undone" counts the photos and videos whose words or files came
    back, "kept" names the files that somebody has changed since.
    """
    from cocadesk.cli.own_words import undo as command

    run(context, Choices(library=library, as_json=as_json), command)


@words_app.command("redo")
def words_redo(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """Do again what was last undone; see undo ("redone")."""
    from cocadesk.cli.own_words import redo as command

    run(context, Choices(library=library, as_json=as_json), command)


@words_app.command("history")
def words_history(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A photo or video of the library.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who has said what of a photo or video, and when, oldest first."""
    from cocadesk.cli.own_words import history as command

    choices = Choices(library=library, as_json=as_json)
    run(context, choices, lambda options, report: command(options, report, path))


@words_app.command("write")
def words_write(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Photos or videos of the library, or folders."),
    ],
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would change.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files too that CocaDesk didn't write.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write captions beside photos and videos: name.txt, one line; yours, else the machine's.

    One without any caption is left out with the reason. Of two with the same name
    (a.jpg, a.png) the first gets a.txt. One undo takes all of it back.

    With --json: "written" and "unchanged" count files, "kept" names those left alone.
    """
    from cocadesk.cli.own_writing import write as command

    choices = Choices(library=library, as_json=as_json)
    run(
        context,
        choices,
        lambda options, report: command(
            options, report, paths, preview=preview, overwrite=overwrite
        ),
    )


@words_app.command("vocabulary")
def words_vocabulary(
    context: typer.Context,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="FILE", help="Your own tags, one a line."),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Go back to the tags that ship with CocaDesk.")
    ] = False,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the tags that the machine chooses from, or set your own.

    All photos and videos are then tagged anew from what was seen before; no file is
    read again.
    """
    from cocadesk.cli.own_vocabulary import vocabulary as command

    choices = Choices(library=library, model=model, as_json=as_json)
    run(context, choices, lambda options, report: command(options, report, file, shipped))
