"""The command ``cocadesk``: all commands by name."""

from __future__ import annotations

from typing import Annotated

import typer

from cocadesk.cli.commands import album, evaluate, library_care, model, saved, words
from cocadesk.cli.commands.browse import browse
from cocadesk.cli.commands.children import train, window
from cocadesk.cli.commands.describe import caption, tag
from cocadesk.cli.commands.duplicates import duplicates
from cocadesk.cli.commands.explain import explain
from cocadesk.cli.commands.forget import exclude, forget, purge
from cocadesk.cli.commands.jobs import jobs
from cocadesk.cli.commands.library import index, info, search
from cocadesk.cli.commands.teach import teach
from cocadesk.cli.options import JsonOption, LibraryOption, ModelOption, documented, run
from cocadesk.cli.parser import App
from cocadesk.errors import tr

app = App(
    name="cocadesk",
    help=tr("Search, tag and caption your own photos and videos by meaning, offline."),
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(album.app, name="album")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(library_care.app, name="library")
app.add_typer(model.app, name="model")
app.add_typer(saved.app, name="saved")
app.add_typer(words.app, name="words")
for command in (
    index, search, browse, tag, caption, explain, teach, info, jobs, duplicates, forget, purge,
    exclude, train,
):  # fmt: skip
    app.command()(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        import cocadesk

        typer.echo(f"cocadesk {cocadesk.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@documented
def start(
    context: typer.Context,
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help=tr("Show the version.")
        ),
    ] = False,
) -> None:
    """Search, tag and caption your own photos and videos by meaning, offline.

    Without a command the window opens.
    """
    if context.invoked_subcommand is None:
        run(context, window)
