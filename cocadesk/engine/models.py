"""The models that can answer, listed and chosen."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler, Restart
from cocadesk.engine.index_job import index_again
from cocadesk.engine.job_steps import JobFactory
from cocadesk.engine.model_choice import ModelChoice
from cocadesk.engine.model_fetching import ModelFetcher, ids_where_converted
from cocadesk.engine.model_switch import ModelSwitcher
from cocadesk.engine.teaching.run_state import RunReader
from cocadesk.engine.teaching.runs import RunStore
from cocadesk.errors import UserError, tr
from cocadesk.locations import RUN_PREFIX, STARTER
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    FetchModel,
    JobReply,
    ListModels,
    MeasureModel,
    ModelRemoved,
    Models,
    RemoveModel,
    UseModel,
)
from cocadesk.protocol.values import JobKind, ModelEntry, ModelState, RunState

if TYPE_CHECKING:
    from cocadesk.model.known_models import KnownModel

_log = logging.getLogger(__name__)


class ModelHandler(RequestHandler):
    """Lists models and lets one answer; ``switcher`` does it."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._fetcher = ModelFetcher(context)
        self.switcher = ModelSwitcher(context, self._fetcher)
        self.why_held = self._fetcher.why_held
        context.job_listeners.append(self._fetcher.on_job)
        self._choice = ModelChoice(context)
        self._runs = RunStore(context.library.runs_folder)
        self._reader = RunReader(context, self._runs)
        self._ids: dict[str, tuple[str, str]] = {}

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The switch of models."""
        return {
            JobKind.SWITCH_MODEL: self.switcher.steps,
            JobKind.FETCH_MODEL: self._fetcher.steps,
        }

    def restarts(self) -> Mapping[JobKind, Restart]:
        """A switch that starts again is the last choice; an index reads the files it could not."""
        again = partial(index_again, self._context)
        return {JobKind.SWITCH_MODEL: Restart(renewed=self.switcher.renewed, of_files=again)}

    def close(self) -> None:
        """Frees models that nobody took."""
        self._choice.close()
        self.switcher.close()

    def _use(self, body: UseModel, call: Call) -> JobReply:
        return JobReply(job=self.switcher.use(body.source, body.purpose))

    def _fetch(self, body: FetchModel, call: Call) -> JobReply:
        return JobReply(job=self._fetcher.order(body.source, body.folder))

    def _remove(self, body: RemoveModel, call: Call) -> ModelRemoved:
        return ModelRemoved(freed_bytes=self._fetcher.remove(body.source))

    def _measure(self, body: MeasureModel, call: Call) -> None:
        self._choice.measured(body, call, self._models)

    def _list(self, body: ListModels, call: Call) -> Models:
        return self._models()

    def _models(self) -> Models:
        from cocadesk.model.known_models import known_models

        used = self._context.model.value()
        if used.source != STARTER or used.state is ModelState.READY:
            # Before it is open, the library's file may name the starter of an older program.
            self._ids[used.source] = (used.model_id, used.image_id)
        captioning = used.source if used.captions is None else used.captions.source
        known = known_models(used=tuple(dict.fromkeys((captioning, used.source))))
        by_source = {model.source: self._entry(model) for model in known}
        for record in self._runs.all():
            source = f"{RUN_PREFIX}{record.id}"
            is_kept = self._reader.state(record) is RunState.KEPT
            if is_kept and self._runs.has_model(record.id):
                by_source[source] = self._entry_of_run(record.id, record.title)
        entries = list(by_source.values())
        coverage = self._coverage({entry.image_id for entry in entries})
        listed = Models(
            models=tuple(
                msgspec.structs.replace(
                    entry,
                    is_used=entry.source == used.source,
                    is_removable=self._fetcher.is_removable(entry.source),
                    is_used_for_captions=entry.source == captioning,
                    coverage=coverage.get(entry.image_id, 0.0),
                )
                for entry in entries
            ),
            offers=self._fetcher.offers(entries),
        )
        return self._choice.completed(listed)

    def _entry(self, known: KnownModel) -> ModelEntry:
        if known.source == STARTER and not self._ids.get(STARTER, ("", ""))[0]:
            self._ids[STARTER] = ids_of_starter()
        ids = self._ids.get(known.source) or ids_where_converted(known.source)
        model_id, image_id = ids or ("", "")
        return to_value(known, ModelEntry, model_id=model_id, image_id=image_id)

    def _entry_of_run(self, run_id: str, title: str) -> ModelEntry:
        result = self._runs.result(run_id)
        best = self._runs.folder(run_id) / "checkpoints" / "best"
        return ModelEntry(
            source=f"{RUN_PREFIX}{run_id}",
            name=title,
            model_id=result.model_id if result else "",
            image_id=result.image_id if result else "",
            size_bytes=sum(file.stat().st_size for file in best.iterdir() if file.is_file()),
            note=tr("You taught it."),
        )

    def _coverage(self, image_ids: set[str]) -> dict[str, float]:
        """The share of the present media that have vectors of each model."""
        present = self._context.library.media.present()
        if not present:
            return {}
        return {
            image_id: sum(image_id in identity.embedded for identity in present) / len(present)
            for image_id in image_ids
            if image_id
        }


def ids_of_starter() -> tuple[str, str]:
    """Model id and image id of the starter that ships; nothing where it can't be read."""
    from cocadesk.model.source import find_checkpoint

    try:
        ids = find_checkpoint(STARTER).ids()
    except UserError as error:
        _log.warning("the starter cannot be read: %s", error)
        return "", ""
    return ids.model_id, ids.image_id
