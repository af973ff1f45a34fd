"""A preview of a data set before anything is taught: counts, samples, the time it takes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.teaching.runs import to_skipped
from cocadesk.engine.teaching.spec import SourceDataset, build_spec
from cocadesk.engine.teaching.trainer_process import TrainerChild
from cocadesk.errors import UserError, tr
from cocadesk.library.atomic import write_atomically
from cocadesk.library.rows import new_key
from cocadesk.model.source import resolve_source
from cocadesk.protocol.calls import Call, CallCancelledError
from cocadesk.protocol.messages import DatasetSummary, PreviewDataset
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import TeachSample, TeachSource, TuningMethod
from cocadesk.trainer_messages import SPEC, Findings

LINE_WAIT_S = 0.25
SAMPLE_PX = 320
NO_CAPTIONS = tr(
    "No photo of the library has a caption or tag of yours yet: write captions or add tags first."
)


class DatasetPreview:
    """The trainer's ``inspect`` with thumbnails for its samples. Any thread may call."""

    def __init__(self, parts: EngineContext) -> None:
        self._parts = parts
        self._is_closed = threading.Event()
        self._decoding = threading.Lock()
        self._reembed_s: dict[tuple[TeachSource, TuningMethod], float] = {}
        for left in parts.library.runs_folder.glob(".look-*"):
            shutil.rmtree(left, ignore_errors=True)  # of an engine that was killed

    def run(self, body: PreviewDataset, call: Call) -> DatasetSummary:
        """The summary of a source; the counts first, as a part of the answer.

        Raises:
            UserError: it cannot be read.
            CallCancelledError: the answer is not wanted any more.
        """
        source, method = body.source, body.method
        library, model = self._parts.library, self._parts.model
        model.taught()
        resolved = resolve_source(model.source, library.runs_folder)
        dataset = build_spec(library, source, method, model=resolved)
        if dataset.is_empty:
            return DatasetSummary(skipped=to_skipped(dataset.skipped), problem=NO_CAPTIONS)
        # A name that begins with a dot is no run.
        folder = library.runs_folder / f".look-{new_key()}"
        try:
            folder.mkdir(parents=True)
            write_atomically(folder / SPEC, msgspec.json.encode(dataset.spec), durable=False)
            found = self._inspect(folder, dataset, call, is_timed=body.is_timed)
            self._reembed_s[source, method] = found.reembed_seconds
            return found
        except OSError as error:
            raise UserError(
                tr("The photos could not be previewed."),
                tr(
                    "{folder} cannot be written: {reason}.",
                    folder=folder,
                    reason=error.strerror or error,
                ),
                tr("Make room on the disk, or check the library's permissions."),
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def reembed_seconds(self, source: TeachSource, method: TuningMethod) -> float:
        """Seconds to embed all media again, as the last preview of the source measured them."""
        return self._reembed_s.get((source, method), 0.0)

    def close(self) -> None:
        """Stops the previews under way, soon."""
        self._is_closed.set()

    def _inspect(
        self, folder: Path, dataset: SourceDataset, call: Call, *, is_timed: bool
    ) -> DatasetSummary:
        child = TrainerChild("inspect", folder, module=self._parts.trainer)
        found: Findings | None = None
        samples: tuple[TeachSample, ...] = ()
        try:
            for line in child.lines(LINE_WAIT_S):
                call.check()
                if self._is_closed.is_set():
                    raise CallCancelledError
                if line is None:
                    continue
                if line.stage:
                    call.progress(line)
                if line.found is not None:
                    samples = samples or self._samples(line.found)
                    found = line.found
                    if found.seconds is None and not found.problem:
                        call.partial(_value(found, dataset, samples))
                    if not is_timed:
                        break
        finally:
            child.kill()
        if found is None:
            raise UserError(
                tr("The trainer gave no answer about these photos."), "", tr("Try again.")
            )
        return _value(found, dataset, samples)

    def _samples(self, found: Findings) -> tuple[TeachSample, ...]:
        thumbnails = self._thumbnails([sample.path for sample in found.samples])
        return tuple(
            TeachSample(
                path=WirePath.of(sample.path),
                captions=sample.captions,
                thumbnail=WirePath.of(thumbnails[sample.path])
                if sample.path in thumbnails
                else None,
            )
            for sample in found.samples
        )

    def _thumbnails(self, paths: Iterable[bytes]) -> dict[bytes, Path]:
        """The library's own where it has them; others are decoded, in a worker process."""
        library = self._parts.library
        known: dict[bytes, Path] = {}
        wanted: list[bytes] = []
        for path in paths:
            row = library.media.row_by_path(path)
            thumbnail = library.thumbnails.path(row.picture_hash) if row else None
            if thumbnail is not None:
                library.thumbnails.bring([thumbnail])
            if thumbnail is not None and thumbnail.exists():
                known[path] = thumbnail
            else:
                wanted.append(path)
        return known | self._made(wanted)

    def _made(self, paths: list[bytes]) -> dict[bytes, Path]:
        from cocadesk.media.pool.pool import DecoderPool
        from cocadesk.media.types import DecodedPhoto, DecodeRequest
        from cocadesk.picture_input import InputSpec

        if not paths:
            return {}
        made: dict[bytes, Path] = {}
        requests = [DecodeRequest(token=n, path=path) for n, path in enumerate(paths)]
        spec = InputSpec(size_px=32)
        with self._decoding, DecoderPool(spec=spec, workers=1, thumbnail_px=SAMPLE_PX) as pool:
            for answer in pool.decode(requests):
                if isinstance(answer, DecodedPhoto):
                    made[answer.path] = self._keep(answer.picture_hash, answer.thumbnail_jpeg)
        return made

    def _keep(self, picture_hash: str, jpeg: bytes) -> Path:
        """In the previews' cache, under a name of its own: a preview is larger."""
        folder = self._parts.library.folder / "previews" / picture_hash[:2] / picture_hash[2:4]
        path = folder / f"{picture_hash}-{SAMPLE_PX}.jpg"
        if not path.exists():
            self._parts.library.thumbnails.keep(path, jpeg)
        return path


def _value(
    found: Findings, dataset: SourceDataset, samples: tuple[TeachSample, ...]
) -> DatasetSummary:
    skipped = to_skipped(dataset.skipped) + to_skipped(found.skipped)
    return to_value(found, DatasetSummary, skipped=skipped, samples=samples)
