"""The lesson of a run, kept in its folder: a resumed run learns from the same words."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cocadesk.errors import UserError
from trainer.checkpoint import write_atomic
from trainer.tuning.dataset import Skips, TuningDataset, TuningPhoto

_NAME = "lesson.json"


def store_lesson(run_folder: Path, lesson: TuningDataset) -> None:
    """Writes the photos, their captions and what was left out."""
    record = {
        "photos": [
            {"path": encode_path(photo.path), "captions": photo.captions} for photo in lesson.photos
        ],
        "skipped": lesson.skips.counts,
        "examples": encode_examples(lesson.skips),
    }
    write_atomic(run_folder / _NAME, json.dumps(record).encode())


def load_lesson(run_folder: Path) -> TuningDataset | None:
    """The stored lesson; None where the run has not looked yet.

    Raises:
        UserError: the file is damaged.
    """
    path = run_folder / _NAME
    try:
        record = json.loads(path.read_text("utf-8"))
        return TuningDataset(
            photos=tuple(
                TuningPhoto(path=decode_path(row["path"]), captions=tuple(row["captions"]))
                for row in record["photos"]
            ),
            skips=Skips(
                counts=dict(record["skipped"]),
                examples={r: list(map(decode_path, p)) for r, p in record["examples"].items()},
            ),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"The run {run_folder} cannot go on.",
            f"Its {_NAME} is damaged ({error}).",
            "Start the run again.",
        ) from error


def encode_examples(skips: Skips) -> dict[str, list[str]]:
    """A few files of each reason, as JSON carries them."""
    return {reason: list(map(encode_path, paths)) for reason, paths in skips.examples.items()}


def encode_path(path: bytes) -> str:
    """A path as JSON carries it."""
    return base64.b64encode(path).decode("ascii")


def decode_path(text: str) -> bytes:
    """``encode_path``'s path."""
    return base64.b64decode(text)
