"""``python -P -m trainer CONFIG.toml``: trains, with progress and time left.

``python -P -m trainer teach|inspect RUN_FOLDER`` teaches a model a person's own photos.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.errors import UserError
from cocadesk.locations import keep_private

if TYPE_CHECKING:
    from trainer.stages.loop import TrainReport


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the run is finished, 2 for an error the person can mend."""
    given = sys.argv[1:] if arguments is None else arguments
    from trainer.tuning.command import COMMANDS
    from trainer.tuning.command import main as teaching

    if given and given[0] in COMMANDS:
        return teaching(given)
    parser = argparse.ArgumentParser(prog="trainer", description="Train a CoCa network.")
    parser.add_argument("config", type=Path, help="a TOML file, see resources/starter/train.toml")
    parser.add_argument("--json-lines", action="store_true", help="progress as JSON lines")
    options = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    from trainer.stages.session import train

    last = [0.0]

    def report(event: TrainReport) -> None:
        if options.json_lines:
            sys.stdout.write(json.dumps(asdict(event)) + "\n")
            sys.stdout.flush()
        elif event.stage == "dev" or event.done == event.total or time.monotonic() - last[0] > 5:
            last[0] = time.monotonic()
            sys.stderr.write(_line(event) + "\n")

    try:
        train(options.config.resolve(), report)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Run the same command again to go on.\n")
        return 130
    return 0


def _line(event: TrainReport) -> str:
    figures = "  ".join(f"{name} {value:.4g}" for name, value in event.figures.items())
    left = "" if event.seconds_left is None else f"  {event.seconds_left / 60:.1f} min left"
    return f"{event.stage} {event.done}/{event.total}{left}  {figures}"


def run() -> int:
    """What the command line starts: ``main`` in the person's language."""
    from trainer.tuning.command import speak

    keep_private()
    speak()
    return main()


if __name__ == "__main__":
    sys.exit(run())
