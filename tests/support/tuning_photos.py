"""Teaching runs with a tiny model, in this process."""

from __future__ import annotations

import base64
import io
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeRequest,
    PhotoError,
)
from cocadesk.model.source import find_checkpoint
from cocadesk.picture_input import InputSpec
from cocadesk.trainer_messages import SCHEMA
from tests.support.kinds import write_lesson
from tests.support.tiny_model import write_tiny_checkpoint
from trainer.tuning.dataset import GeneralSet, load_general
from trainer.tuning.phase import Pace
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import Recipe
from trainer.tuning.run import RunOptions, teach

STEPS, GENERAL = 6, 6


def short_recipe(recipe: Recipe) -> Recipe:
    """Few small steps."""
    return replace(
        recipe,
        steps=STEPS,
        measure_every=3,
        batch=8,
        sentences=6,
        synthetic=4,
        synthetic_pool=8,
        hard_sentences=20,
    )


def few_general() -> GeneralSet:
    """A small part of the general set."""
    whole = load_general()
    return GeneralSet(photos=whole.photos[:GENERAL], sentences=whole.sentences[:600:6])


def write_run(
    folder: Path, *, photos: int = 12, method: str = "head", model: str = "", **fields: object
) -> Path:
    """A run folder with a spec; its photos lie in ``photos`` inside, its model beside it."""
    folder.mkdir(parents=True)
    write_lesson(folder / "photos", photos)
    tiny = folder.parent / "tiny"
    if not model and not tiny.exists():
        write_tiny_checkpoint(tiny)
    spec = {
        "schema": SCHEMA,
        "title": "florbits",
        "method": method,
        "seed": 1,
        "model": model or str(tiny),
        "model_id": find_checkpoint(model or str(tiny)).ids().model_id,
        "device": "auto",
        "folders": [base64.b64encode(os.fsencode(folder / "photos")).decode()],
        "photos": [],
        "not_human": {},
        **fields,
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder


class Listener(io.StringIO):
    """Collects the lines; ``stop`` is set once ``stop_after`` points have come."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._stop_after = stop_after

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._stop_after is not None and len(self.points) >= self._stop_after:
            self.stop.set()
        return written

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was said so far."""
        return [json.loads(line) for line in self.getvalue().splitlines()]

    @property
    def points(self) -> list[dict[str, Any]]:
        """The points of the curve so far."""
        return [line["point"] for line in self.lines if "point" in line]


@contextmanager
def inner_decoder(spec: InputSpec) -> Iterator[InnerDecoder]:
    """Decodes in this process: the photos are our own, and workers take seconds to start."""
    yield InnerDecoder(spec)


class InnerDecoder:
    """The real decoding of photos, without worker processes."""

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self.decoded: list[bytes] = []

    def decode(
        self, requests: Iterable[DecodeRequest]
    ) -> Iterator[DecodedPhoto | DecodedVideo | DecodeFailure]:
        """Answers in the order of the requests."""
        for request in requests:
            self.decoded.append(request.path)
            try:
                path = Path(os.fsdecode(request.path))
                yield decode_photo(path, self._spec, token=request.token)
            except PhotoError as error:
                yield DecodeFailure(token=request.token, path=request.path, reason=error.reason)


def run_teaching(
    folder: Path, listener: Listener | None = None, options: RunOptions | None = None
) -> dict[str, Any]:
    """Runs (or goes on with) a run folder; gives its result."""
    heard = listener or Listener()
    return teach(folder, ProgressLines(heard), heard.stop, options)


def points_of(folder: Path) -> list[dict[str, Any]]:
    """The curve that the run keeps."""
    lines = (folder / "points.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


SHORT = RunOptions(
    general=few_general,
    recipe=short_recipe,
    pace=Pace(point_every=2),
    open_decoder=inner_decoder,
)
"""A run of few small steps, with a small part of the general set."""
