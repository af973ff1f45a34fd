"""``cocadesk train`` and the window: they start what the engine's package never imports."""

from __future__ import annotations

import importlib.machinery
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import cocadesk
from cocadesk.cli.options import Options, documented, run
from cocadesk.cli.report import Report
from cocadesk.cli.threads import free_other_threads
from cocadesk.errors import UserError, tr
from cocadesk.locations import umask_of_person

WINDOW = "ui"
TRAINER = "trainer"


def has_display() -> bool:
    """True where Qt will find something to draw on; only Linux may lack one."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def window(options: Options, report: Report) -> int:
    """Opens the window on the library; ends when it is closed.

    Raises:
        UserError: there is no display to open it on (Qt would abort).
    """
    if not has_display():
        raise UserError(
            tr("There is no display to open the window on."),
            "",
            tr("Start CocaDesk on a desktop, or use its commands: cocadesk --help lists them."),
        )
    # Where nobody names one, the window opens the library that it had open last.
    arguments = ["--library", str(options.library)] if options.is_library_named else []
    if options.model is not None:
        arguments += ["--model", options.model]
    return run_child(WINDOW, arguments, report)


@documented
def train(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help=tr("The run's settings."))],
) -> None:
    """Train a model as a configuration file says."""
    run(context, lambda _options, report: _train(report, config))


def _train(report: Report, config: Path) -> int:
    if not config.is_file():
        raise UserError(
            tr("There is no configuration file {config}.", config=config),
            "",
            tr("Give the path of a TOML file."),
        )
    return run_child(TRAINER, [str(config)], report)


def run_child(package: str, arguments: Sequence[str], report: Report) -> int:
    """Runs ``python -P -m package`` in the foreground and gives its exit code.

    Our own folder comes first on the child's module path, so that a package of the
    same short name cannot take its place; one that stands before ours on this
    process's path is named. Ctrl-C reaches the child too (one process group); we wait for
    its own clean end.

    Raises:
        UserError: the package is missing, or what lies in its place is not ours.
    """
    from cocadesk.protocol.launch import engine_environment

    free_other_threads()
    check_own_package(package)
    foreign = foreign_package(package)
    if foreign is not None:
        report.note(
            tr(
                "Another package called “{package}” lies in {foreign}; it is not used.",
                package=package,
                foreign=foreign,
            )
        )
    command = [sys.executable, "-P", "-m", package, *arguments]
    process = subprocess.Popen(command, env=engine_environment(), umask=umask_of_person())
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue
        return code if code >= 0 else 128 - code


def own_folder(package: str) -> Path:
    """The folder of CocaDesk's package of this name, beside ``cocadesk`` itself."""
    return Path(cocadesk.__file__).resolve().parent.parent / package


def check_own_package(package: str, folder: Path | None = None) -> None:
    """Makes sure that the package beside ``cocadesk`` is there and is the program's own.

    Raises:
        UserError: it is not.
    """
    own = folder or own_folder(package)
    if not own.is_dir():
        raise UserError(
            tr("CocaDesk's package “{package}” is missing.", package=package),
            tr("It should lie in {own}.", own=own),
            tr("Install CocaDesk again."),
        )
    if not (own / "__main__.py").is_file():
        raise UserError(
            tr("The package “{package}” in {own} is not CocaDesk's own.", package=package, own=own),
            tr("Another package of that name has taken its place."),
            tr("Install CocaDesk in an environment of its own, for example with pipx or uv tool."),
        )


def foreign_package(package: str, search: Sequence[str] | None = None) -> Path | None:
    """A package or module of the same name that stands before ours on the module path."""
    spec = importlib.machinery.PathFinder.find_spec(package, list(search or sys.path))
    if spec is None:
        return None
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    found = Path(places[0]) if places else None
    if found is None or os.path.realpath(found).startswith(f"{own_folder(package)}{os.sep}"):
        return None
    return None if found.resolve() == own_folder(package) else found
