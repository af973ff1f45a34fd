"""The commands, their arguments and their help; the work is in the modules beside this one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from cocadesk.cli.arguments import JsonOption, LibraryOption, ModelOption
from cocadesk.cli.arguments import run as _run
from cocadesk.cli.options import Choices
from cocadesk.cli.words_app import words_app

app = typer.Typer(
    name="cocadesk",
    help="Search, tag and caption your own photos and videos by meaning, offline.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)
evaluate_app = typer.Typer(help="Measure the model on pictures whose words are known.")
app.add_typer(evaluate_app, name="evaluate")
model_app = typer.Typer(help="See which models there are, and choose the one that answers.")
app.add_typer(model_app, name="model")
app.add_typer(words_app, name="words")


class Method(StrEnum):
    """The methods of teaching, as the protocol names them."""

    HEAD = "head"
    DEEPER = "deeper"


def _show_version(wanted: bool) -> None:
    if wanted:
        import cocadesk

        typer.echo(f"cocadesk {cocadesk.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Search, tag and caption your own photos and videos by meaning, offline.

    Without a command the window opens.
    """
    choices = Choices(library=library, model=model, as_json=as_json)
    context.obj = choices
    if context.invoked_subcommand is None:
        from cocadesk.cli.launch import window

        _run(context, choices, window)


@app.command()
def index(
    context: typer.Context,
    folders: Annotated[
        list[str], typer.Argument(metavar="FOLDER", help="Folders, photos, videos.")
    ],
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read photos and videos into the library; what is known and unchanged is skipped."""
    from cocadesk.cli.index import index as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, folders))


@app.command()
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='What to look for, e.g. "a dog on a beach".')],
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many results.")] = 50,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the photos and videos that fit a description, best first."""
    from cocadesk.cli.search import search as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, query, limit))


@app.command()
def tag(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Photos, videos or folders.")],
    labels: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--labels", metavar="FILE", help="Your own tags, one a line."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="At most so many tags each.")] = 8,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name what is in photos and videos, with words of a list."""
    from cocadesk.cli.words import tag as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, paths, labels, top))


@app.command()
def caption(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Photos, videos or folders.")],
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe photos and videos in a sentence each."""
    from cocadesk.cli.words import caption as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, paths))


@app.command()
def teach(
    context: typer.Context,
    folders: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="SOURCE", help="Folders of photos with .txt beside them, one caption a line."
        ),
    ] = None,
    library_words: Annotated[
        bool, typer.Option("--library-words", help="Learn from your words in the library, too.")
    ] = False,
    method: Annotated[
        Method,
        typer.Option("--method", help="head: keeps all vectors. deeper: the poolers learn too."),
    ] = Method.HEAD,
    keep: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--keep/--discard", help="Decide without being asked."),
    ] = None,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Teach the model from photos with words of yours; measured before you keep it."""
    from cocadesk.cli.teach import TeachOptions
    from cocadesk.cli.teach import teach as command

    wish = TeachOptions(
        folders=folders or (), uses_library=library_words, method=method.value, keep=keep
    )
    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, wish))


@model_app.command("list")
def model_list(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """The models that this machine has."""
    from cocadesk.cli.model import list_models as command

    _run(context, Choices(library=library, as_json=as_json), command)


@model_app.command("use")
def model_use(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="starter, run:ID, a folder or file, open_clip:NAME/TAG or hf-hub:ORG/NAME.",
        ),
    ],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let another model answer, once the library has vectors of it."""
    from cocadesk.cli.model import use_model as command

    choices = Choices(library=library, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, source))


@app.command()
def info(
    context: typer.Context,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the library holds and which model is in use."""
    from cocadesk.cli.info import info as command

    _run(context, Choices(library=library, model=model, as_json=as_json), command)


@app.command()
def train(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The run's settings.")],
) -> None:
    """Train a model as a configuration file says."""
    from cocadesk.cli.launch import train as command

    _run(context, Choices(), lambda options, report: command(options, report, config))


@evaluate_app.command("retrieval")
def evaluate_retrieval(
    context: typer.Context,
    shards: Annotated[list[Path], typer.Argument(metavar="SHARDS", help="WebDataset tars.")],
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """How often the right photo is found by its caption, and the caption by its photo."""
    from cocadesk.cli.evaluate import retrieval as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, shards))


@evaluate_app.command("captions")
def evaluate_captions(
    context: typer.Context,
    shards: Annotated[list[Path], typer.Argument(metavar="SHARDS", help="WebDataset tars.")],
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """How close the model's captions come to those of people."""
    from cocadesk.cli.evaluate import captions as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, shards))


@evaluate_app.command("zeroshot")
def evaluate_zeroshot(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(help="One subfolder a class, its name the label.")],
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """How often a photo's class is named by words alone."""
    from cocadesk.cli.evaluate import zeroshot as command

    choices = Choices(library=library, model=model, as_json=as_json)
    _run(context, choices, lambda options, report: command(options, report, folder))
