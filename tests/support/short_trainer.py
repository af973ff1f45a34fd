"""The real trainer with a short recipe: few small steps, a part of the general set.

``python -P -m tests.support.short_trainer teach|inspect FOLDER --json-lines``.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

from trainer.tuning.command import exit_with_parent
from trainer.tuning.dataset import GeneralSet, load_general
from trainer.tuning.phase import Pace
from trainer.tuning.preview import inspect
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import Recipe
from trainer.tuning.run import RunOptions, teach

_PHOTOS, _EVERY = 6, 40


def _few() -> GeneralSet:
    whole = load_general()
    return GeneralSet(photos=whole.photos[:_PHOTOS], sentences=whole.sentences[::_EVERY])


def _short(recipe: Recipe) -> Recipe:
    return replace(
        recipe,
        steps=12,
        batch=6,
        sentences=4,
        synthetic=2,
        synthetic_pool=4,
        hard_sentences=8,
        learning_rate=5e-4,
        warmup_steps=2,
        measure_every=6,
    )


def main() -> None:
    """The verb and the folder come as the engine gives them to the real one."""
    verb, folder = sys.argv[1], Path(sys.argv[2])
    exit_with_parent(75)
    with ProgressLines() as lines:
        work = inspect if verb == "inspect" else teach
        options = RunOptions(general=_few, recipe=_short, pace=Pace(checkpoint_s=0.5))
        work(folder, lines, threading.Event(), options)


if __name__ == "__main__":
    main()
