"""What the commands have in common: their options, and how they are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Optional

import typer

from cocadesk.cli.options import Choices, Options
from cocadesk.cli.report import Report

# typer reads the annotations at run time, so they stay in the form that it knows.
LibraryOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--library", metavar="DIR", help="The library's folder."),
]
ModelOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--model",
        metavar="SOURCE",
        help="The network: starter, run:ID, a run folder, a checkpoint…",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def run(
    context: typer.Context, choices: Choices, command: Callable[[Options, Report], int]
) -> None:
    """Runs a command with the options from before and after its name, and exits."""
    from cocadesk.cli.guard import guarded

    earlier = context.find_root().obj
    options = choices.over(earlier if isinstance(earlier, Choices) else None).resolved()
    raise typer.Exit(guarded(command, options))
