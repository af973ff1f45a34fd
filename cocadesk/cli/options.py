"""The options that every command takes, and how a command is run with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from cocadesk.cli.errors import guarded
from cocadesk.cli.report import Report
from cocadesk.errors import UserError, tr, tr_help
from cocadesk.locations import library_folder

if TYPE_CHECKING:
    from cocadesk.protocol.paths import WirePath

# typer reads the annotations at run time, so they stay in the form that it knows.
LibraryOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--library", metavar=tr("DIR"), help=tr("The library's folder, or s3://BUCKET/NAME.")
    ),
]
ModelOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--model",
        metavar=tr("SOURCE"),
        help=tr("The network: starter, run:ID, a run folder, a checkpoint…"),
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))]
FilterOption = Annotated[
    str,
    typer.Option(
        "--filter",
        metavar=tr("TEXT"),
        help=tr("Only what fits, e.g. kind:video taken:2014..2016 rating:>=4 tag:Ida."),
    ),
]
#: The styles of captions as a shell takes them without quotes.
StyleName = Literal["sentence", "short", "alt-text"]
PathsArgument = Annotated[
    list[str], typer.Argument(metavar=tr("PATH"), help=tr("Photos, videos or folders."))
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The person's choices: library folder, model source, one JSON document or text.

    ``model`` None means the one that the library uses (the starter where none does).
    ``is_library_named``: the person has named it, here and now.
    """

    library: Path
    model: str | None = None
    as_json: bool = False
    is_library_named: bool = False

    @classmethod
    def of(cls, *given: Mapping[str, Any]) -> Options:
        """Options from parsed arguments, the earlier ones first, with defaults.

        The library's folder is absolute.
        """
        chosen = {name: value for each in given for name, value in each.items() if value}
        folder = library_folder(chosen.get("library", ""))
        return cls(
            library=Path(os.path.abspath(folder)),  # noqa: PTH100 - keeps links as given
            model=chosen.get("model"),
            as_json="as_json" in chosen,
            is_library_named="library" in chosen,
        )


def documented(work: Callable[..., None]) -> Callable[..., None]:
    """The same function with its docstring, a command's help, in the person's language."""
    work.__doc__ = tr_help(work.__doc__ or "")
    return work


def run(context: typer.Context, command: Callable[[Options, Report], int]) -> None:
    """Runs a command with the options from before and after its name, and exits."""
    given = (context.find_root().params, context.params)
    report = Report(as_json=any(each.get("as_json") for each in given))
    raise typer.Exit(guarded(lambda: command(Options.of(*given), report), report))


def command(*, takes_model: bool = True) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Makes a command of its work: adds ``--library``, ``--model`` and ``--json``, and exits.

    The work gets these as ``Options`` and ``Report``, before its own arguments. typer reads
    them all from the signature.
    """

    def made(work: Callable[..., int]) -> Callable[..., None]:
        def start(
            context: typer.Context,
            library: LibraryOption = None,
            model: ModelOption = None,
            as_json: JsonOption = False,
            **own: Any,
        ) -> None:
            run(context, lambda options, report: work(options, report, **own))

        _options, _report, *arguments = signature(work, eval_str=True).parameters.values()
        context, library, model, as_json, _own = signature(start, eval_str=True).parameters.values()
        shared = [library, model, as_json] if takes_model else [library, as_json]
        start.__name__, start.__doc__ = work.__name__, tr_help(work.__doc__ or "")
        start.__signature__ = Signature([context, *arguments, *shared])  # type: ignore[attr-defined]
        return start

    return made


def absolute_paths(paths: Sequence[str]) -> tuple[WirePath, ...]:
    """Paths as the library names them, each once; links stay as given."""
    from cocadesk.protocol.paths import WirePath

    found = dict.fromkeys(os.path.abspath(os.fsencode(path)) for path in paths)  # noqa: PTH100
    return tuple(WirePath.of(path) for path in found)


def existing_folders(paths: Sequence[str]) -> tuple[WirePath, ...]:
    """The folders (or files) as absolute paths, each once.

    Raises:
        UserError: one of them is not there: nothing is read on a mistyped name.
    """
    folders = absolute_paths(paths)
    for folder in folders:
        if not os.path.lexists(folder.to_bytes()):
            raise UserError(
                tr("There is no folder {folder}.", folder=folder.text),
                "",
                tr("Check the name; nothing was read."),
            )
    return folders
