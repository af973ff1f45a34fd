"""``cocadesk train``: hands a configuration file to the trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cocadesk.cli.children import TRAINER, run_child
from cocadesk.cli.options import Choices, run
from cocadesk.cli.report import Report
from cocadesk.errors import UserError


def train(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The run's settings.")],
) -> None:
    """Train a model as a configuration file says."""
    run(context, Choices(), lambda _options, report: _train(report, config))


def _train(report: Report, config: Path) -> int:
    if not config.is_file():
        raise UserError(
            f"There is no configuration file {config}.", "", "Give the path of a TOML file."
        )
    return run_child(TRAINER, [str(config)], report)
