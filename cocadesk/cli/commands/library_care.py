"""``cocadesk library``: checked, repaired, backed up, restored, exported and moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import Options, absolute_paths, command
from cocadesk.cli.parser import App
from cocadesk.cli.report import Report, path_fields
from cocadesk.errors import tr

if TYPE_CHECKING:
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import CareReport, RequestBody
    from cocadesk.protocol.paths import WirePath

app = App(help=tr("Check, repair, back up, restore, export and move the library."))

# typer reads the annotations at run time, so they stay in the form that it knows.
BackupArgument = Annotated[
    Optional[str],  # noqa: UP045
    typer.Argument(
        metavar=tr("FILE"),
        help=tr("The backup file; without it, in the library's folder."),
    ),
]


@app.command("check")
@command(takes_model=False)
def check(options: Options, report: Report) -> int:
    """Read every file of the library and say what is wrong; nothing is changed."""
    from cocadesk.protocol.messages import CheckLibrary

    found = _ask(options, report, CheckLibrary())
    report.document({"problems": list(found.problems), "seconds": found.seconds})
    for problem in found.problems:
        report.line(problem)
    if found.problems:
        report.line(tr("To repair it: cocadesk library repair"))
        return SOME_FAILED
    report.line(tr("All is well."))
    return OK


@app.command("repair")
@command(takes_model=False)
def repair(options: Options, report: Report) -> int:
    """Set damaged tables back to what can be read, make again what can be made again."""
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import RepairLibrary

    found = _ask(options, report, RepairLibrary(), Access.WRITE)
    fields = {"done": list(found.done), "problems": list(found.problems)}
    report.document({**fields, "seconds": found.seconds})
    for line in found.done:
        report.line(line)
    if not found.done and not found.problems:
        report.line(tr("There was nothing to repair."))
    for problem in found.problems:
        report.line(tr("Still wrong: {problem}", problem=problem))
    return SOME_FAILED if found.problems else OK


@app.command("backup")
@command(takes_model=False)
def backup(options: Options, report: Report, file: BackupArgument = None) -> int:
    """Write people's captions and tags, the folders and the settings into one file."""
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import BackUpLibrary

    found = _ask(options, report, BackUpLibrary(path=_path(file)), Access.WRITE)
    return _written(found, report)


@app.command("restore")
@command(takes_model=False)
def restore(options: Options, report: Report, file: BackupArgument = None) -> int:
    """Bring captions, tags and folders back from a backup; what you changed since stays."""
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import RestoreLibrary

    found = _ask(options, report, RestoreLibrary(path=_path(file)), Access.CREATE)
    report.document({"done": list(found.done), "seconds": found.seconds})
    for line in found.done:
        report.line(line)
    return OK


@app.command("export")
@command(takes_model=False)
def export(
    options: Options,
    report: Report,
    folder: Annotated[str, typer.Argument(metavar=tr("FOLDER"), help=tr("Where the files go."))],
) -> int:
    """Write all media with captions and tags, and the log of edits, as Parquet files."""
    from cocadesk.protocol.messages import ExportLibrary

    found = _ask(options, report, ExportLibrary(folder=absolute_paths([folder])[0]))
    return _written(found, report)


@app.command("move")
@command(takes_model=False)
def move(
    options: Options,
    report: Report,
    folder: Annotated[
        str,
        typer.Argument(metavar=tr("FOLDER"), help=tr("The new folder, or one to make it in.")),
    ],
) -> int:
    """Copy the library to another folder or disk, compare the copy, and use it from then on.

    Photos stay where they are. The old copy is kept until: cocadesk library remove-old.
    """
    from cocadesk.cli.session import open_engine, show_progress
    from cocadesk.engine.local import Access, LocalEngine
    from cocadesk.protocol.messages import LibraryMoved, MoveLibrary, Ok, StopEngine

    with (
        open_engine(options, report, Access.WRITE) as engine,
        report.progress() as display,
    ):
        task = display.add_task(tr("Copying"), total=None, numbers="", left="")
        moved = engine.ask(
            MoveLibrary(folder=absolute_paths([folder])[0]),
            LibraryMoved,
            on_progress=lambda now: show_progress(display, task, now, tr("Copying")),
        )
        if not isinstance(engine, LocalEngine):
            engine.ask(StopEngine(), Ok)
    report.document(
        {
            **path_fields(moved.folder),
            "old": path_fields(moved.old),
            "size_bytes": moved.size_bytes,
        }
    )
    report.line(tr("The library is in {folder} now.", folder=moved.folder.text))
    report.line(
        tr("Its old copy stays in {old} until: cocadesk library remove-old", old=moved.old.text)
    )
    return OK


@app.command("remove-old")
@command(takes_model=False)
def remove_old(options: Options, report: Report) -> int:
    """Remove the copy that a move has left behind; the library itself stays."""
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import RemoveOldLibrary

    found = _ask(options, report, RemoveOldLibrary(), Access.WRITE)
    report.document({"done": list(found.done)})
    for line in found.done:
        report.line(line)
    return OK


@app.command("watch")
@command(takes_model=False)
def watch(
    options: Options,
    report: Report,
    setting: Annotated[
        Literal["show", "on", "off"],
        typer.Argument(
            metavar=tr("SETTING"),
            help=tr("Watch the folders for changes while a window is open, or not."),
        ),
    ] = "show",
    battery: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(
            "--wait-on-battery/--go-on-on-battery", help=tr("Let long jobs wait for mains power.")
        ),
    ] = None,
) -> int:
    """Turn the watching of the folders on or off, and say how each is watched."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import WatchFolders, Watching

    is_on = None if setting == "show" else setting == "on"
    is_change = is_on is not None or battery is not None
    body = WatchFolders(is_on=is_on, waits_on_battery=battery)
    with open_engine(options, report, Access.WRITE if is_change else Access.READ) as engine:
        found = engine.ask(body, Watching)
    report.document(
        {
            "on": found.is_on,
            "waits_on_battery": found.waits_on_battery,
            "folders": [
                {**path_fields(folder.path), "why_not": folder.why_not} for folder in found.folders
            ],
        }
    )
    report.line(tr("Watching is on.") if found.is_on else tr("Watching is off."))
    if found.waits_on_battery:
        report.line(tr("Long jobs wait for mains power."))
    for folder in found.folders:
        report.line(f"{folder.path.text}: {folder.why_not or tr('watched')}")
    return OK


def _ask(
    options: Options, report: Report, body: RequestBody, access: Access | None = None
) -> CareReport:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import CareReport

    with open_engine(options, report, access or Access.READ) as engine:
        return engine.ask(body, CareReport)


def _path(file: str | None) -> WirePath | None:
    return None if file is None else absolute_paths([file])[0]


def _written(found: CareReport, report: Report) -> int:
    report.document({"files": [path_fields(path) for path in found.paths]})
    for path in found.paths:
        report.line(tr("Written: {path}", path=path.text))
    return OK
