"""A quick stand-in for the trainer: same command, same files, nothing learned.

``python -P -m tests.support.stand_in_trainer teach|inspect FOLDER --json-lines``. The
title in ``spec.json`` says how it behaves, see ``_teach``. The model that it leaves is
the one it was given with slightly other words: same image id, new model id.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from cocadesk.trainer_messages import POINTS, RESULT, SPEC, Findings, SkippedFiles, TuningSpec

MODULE = "tests.support.stand_in_trainer"
STEPS = 5
FIGURE = {"name": "t2i_r1", "n": 4, "low": 5.0, "high": 70.0}


def say(**line: Any) -> None:
    """One line for the engine."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> int:
    """The exit codes of the real one."""
    verb, folder = sys.argv[1], Path(sys.argv[2])
    spec = msgspec.json.decode((folder / SPEC).read_bytes(), type=TuningSpec)
    if verb == "inspect":
        return _inspect(spec)
    return _teach(folder, spec)


def _inspect(spec: TuningSpec) -> int:
    found = Findings(
        photos=len(spec.photos),
        captions=len(spec.photos),
        samples=spec.photos[:4],
        skipped={"There is no photo beside it.": SkippedFiles(count=1)},
        held_out=1,
        is_trial=True,
    )
    say(found=msgspec.to_builtins(found))
    say(stage="trial", done=1, total=2, seconds_left=1.0)
    say(found=msgspec.to_builtins(msgspec.structs.replace(found, seconds=12.5)))
    return 0


def _teach(folder: Path, spec: TuningSpec) -> int:
    """``dies``, ``full`` and ``endless`` in the title; else five steps and a result."""
    title = spec.title
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    state = folder / "state"
    done = int(state.read_text()) if state.exists() else 0
    (folder / "pid").write_text(str(os.getpid()))
    sys.stderr.write(f"begins at {done}\n")
    say(stage="look", done=1, total=1, seconds_left=None, figures={})
    while done < STEPS:
        done += 1
        state.write_text(str(done))
        point = {"step": done, "loss": 1 / done}
        with (folder / POINTS).open("a") as points:
            points.write(json.dumps(point) + "\n")
        say(stage="train", done=done, total=STEPS, seconds_left=STEPS - done, point=point)
        if "dies" in title and done == 2:
            sys.stderr.write("out of luck\n")
            os._exit(9)
        if "full" in title:
            say(error={"what": "The disk is full.", "why": "No byte is left.", "what_to_do": "x"})
            return 2
        if "endless" in title and done == 2 and not stop.wait(60):
            return 1
        if stop.is_set():
            return 75
    print_result(folder, spec)
    return 0


def print_result(folder: Path, spec: TuningSpec) -> None:
    """What the real one leaves."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    from cocadesk.model.source import find_checkpoint

    given = find_checkpoint(spec.model)
    best = folder / "checkpoints" / "best"
    shutil.copytree(given.folder, best)
    weights = load_file(best / "model.safetensors")
    name = next(name for name in sorted(weights) if name.startswith("unimodal"))
    weights[name] = np.asarray(weights[name] * 1.01, weights[name].dtype)
    save_file(weights, best / "model.safetensors")
    ids = find_checkpoint(str(best)).ids()
    skipped = {
        "There is no photo beside it.": SkippedFiles(count=1),
        "The file is empty.": SkippedFiles(count=1, examples=[b"/empty.jpg"]),
    }
    result = {
        "before": [FIGURE | {"value": 20.0}],
        "after": [FIGURE | {"value": 80.0}],
        "general_before": [FIGURE | {"value": 40.0}],
        "general_after": [FIGURE | {"value": 39.5}],
        "steps": STEPS,
        "seconds": 1.5,
        "photos": 4,
        "skipped": msgspec.to_builtins(skipped),
        "captions": 6,
        "is_trial": True,
        "reembed": False,
        "model_id": ids.model_id,
        "image_id": ids.image_id,
    }
    (folder / RESULT).write_text(json.dumps(result))


def _end_with_the_engine() -> None:
    while os.read(0, 4096):  # unbuffered: a buffer's lock would break the exit
        pass
    os._exit(75)


if __name__ == "__main__":
    sys.exit(main())
