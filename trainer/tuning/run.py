"""A tuning run from spec.json to result.json, resumable at every step."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cocadesk.errors import UserError, tr
from cocadesk.trainer_messages import DATASET, RESULT, Stage, TuningSpec
from trainer.checkpoint import write_atomic
from trainer.device import keep_memory_blocks
from trainer.tuning.dataset import (
    GeneralSet,
    find_dataset,
    load_dataset,
    load_general,
    load_spec,
)
from trainer.tuning.features import OpenDecoder, open_pool
from trainer.tuning.methods import find_method
from trainer.tuning.network import Network, open_network
from trainer.tuning.phase import Pace
from trainer.tuning.prepare import prepare
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import Recipe
from trainer.tuning.split import problem_of
from trainer.tuning.trainings import TuningRun

GUESSED_STEP_S = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Settings that no spec has: the general set, changes to the method's recipe, …"""

    general: Callable[[], GeneralSet] = load_general
    recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe
    pace: Pace = field(default_factory=Pace)
    open_decoder: OpenDecoder = open_pool


def teach(
    run_folder: Path, lines: ProgressLines, stop: threading.Event, options: RunOptions | None = None
) -> dict[str, Any]:
    """Runs, or goes on with, the run of a folder; gives what ``result.json`` holds.

    Raises:
        UserError: there is nothing to learn from, the model is unusable or not the one that
            the run began with, the folder is unusable, the disk is full; the last
            checkpoint stays.
        StoppedError: ``stop`` was set; a checkpoint was saved.
    """
    try:
        return _teach(run_folder, lines, stop, options or RunOptions())
    except OSError as error:
        raise _explain(run_folder, error) from error


def _check_same_model(spec: TuningSpec, network: Network) -> None:
    """Features and state of a run are of the model that it began with, and of no other."""
    if spec.model_id not in ("", network.ids.model_id):
        raise UserError(
            tr("This lesson can't go on: the model has changed since it began."),
            tr(
                "It was begun with {model_id}; an update or a person has put {model_id_2} "
                "in its place.",
                model_id=spec.model_id,
                model_id_2=network.ids.model_id,
            ),
            tr("Teach again: it starts from the beginning. The model in use is unchanged."),
        )


def _explain(run_folder: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            tr("The disk is full."),
            tr(
                "The run {run_folder} could not be saved. The model in use is unchanged.",
                run_folder=run_folder,
            ),
            tr("Make room, then teach again."),
        )
    return UserError(
        tr("The run {run_folder} cannot be written.", run_folder=run_folder),
        f"{error}.",
        tr("Mend that, then teach again."),
    )


def _teach(
    run_folder: Path, lines: ProgressLines, stop: threading.Event, options: RunOptions
) -> dict[str, Any]:
    keep_memory_blocks()
    done = run_folder / RESULT
    if done.exists():
        return dict(json.loads(done.read_text("utf-8")))
    spec = load_spec(run_folder)
    method = find_method(spec.method)
    lines.progress(Stage.LOOK, 0, 1)
    dataset = load_dataset(run_folder) or find_dataset(spec)
    problem = problem_of(len(dataset.photos))
    if problem:
        raise problem
    write_atomic(run_folder / DATASET, msgspec.json.encode(dataset))
    lines.progress(Stage.LOOK, 1, 1)
    network = open_network(spec.model, spec.device)
    try:
        _check_same_model(spec, network)
        recipe = options.recipe(method.recipe(len(dataset.photos)))
        after = 2 * recipe.steps * GUESSED_STEP_S
        prepared = prepare(
            run_folder / "features",
            spec,
            method,
            dataset,
            options.general(),
            network,
            lines,
            stop,
            after,
            options.open_decoder,
        )
        return TuningRun(run_folder, spec.title, prepared, lines, stop, recipe, options.pace).run()
    finally:
        network.close()
