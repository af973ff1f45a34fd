"""The fake engine's models and tags: a short list of each, and jobs that count."""

from __future__ import annotations

import threading

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.jobs import FakeWork
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    GetVocabulary,
    ListModels,
    ModelChanged,
    Models,
    ReplyBody,
    RowsChanged,
    SetVocabulary,
    UseModel,
    VocabularyReply,
)
from cocadesk.protocol.values import JobKind, JobValue, ModelEntry, ModelState, ModelValue

SHIPPED_TAGS = (
    "beach", "bicycle", "boat", "bridge", "building", "bus", "car", "cat", "child", "city",
    "concert", "dinner", "dog", "evening", "field", "flower", "food", "forest", "guitar",
    "harbour", "kite", "lake", "man", "mountain", "night", "park", "reading", "river", "road",
    "running", "sea", "sky", "sleeping", "smoke", "snow", "station", "street", "sunset",
    "table", "train", "tree", "wall", "water", "wind", "window", "woman",
)  # fmt: skip
MAX_TAG_CHARACTERS = 100

MODELS = (
    ModelEntry(
        source="starter",
        name="starter",
        model_id="starter-0123456789ab",
        image_id="starter-image",
        is_used=True,
        size_bytes=36_200_000,
        coverage=1.0,
        note="Comes with CocaDesk. Small and quick; everyday scenes in English.",
    ),
    ModelEntry(
        source="run:job-1",
        name="starter, taught “quillet”",
        model_id="taught-0123456789ab",
        image_id="starter-image",
        size_bytes=36_200_000,
        coverage=1.0,
        note="You taught this one on 24 November 2026.",
    ),
    ModelEntry(
        source="open_clip:coca_ViT-B-32/laion2b_s13b_b90k",
        name="CoCa ViT-B-32",
        model_id="coca-b-32",
        image_id="coca-b-32-image",
        size_bytes=1_010_000_000,
        coverage=0.25,
        note="Much larger: finds more, and needs about 10 times as long a photo.",
    ),
)


class FakeModels:
    """Three models; a switch counts through the media and then switches."""

    def __init__(self, context: FakeContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._models = list(MODELS)

    def _list(self, body: ListModels, call: Call) -> ReplyBody:
        with self._lock:
            return Models(models=tuple(self._models))

    def _use(self, body: UseModel, call: Call) -> ReplyBody:
        with self._lock:
            entry = next((model for model in self._models if model.source == body.source), None)
        if entry is None and not body.source.startswith(("hf-hub:", "open_clip:")):
            raise UserError(
                "This is not a model that CocaDesk can read.",
                f"{body.source} holds no checkpoint.",
                "Choose a file that ends in .safetensors or .pt, or a run's folder.",
            )
        if entry is None:
            entry = ModelEntry(source=body.source, name=body.source.split(":")[-1])
            with self._lock:
                self._models.append(entry)
        missing = round(len(self._context.media) * (1 - entry.coverage))
        work = FakeWork(
            title=f"Switching to {entry.name}",
            total=max(1, missing),
            kind=JobKind.SWITCH_MODEL,
            stage="Looking at your photos again",
            end=lambda _job: self._switch(entry),
        )
        return self._context.jobs.start(work)

    def _switch(self, entry: ModelEntry) -> tuple[str, None]:
        with self._lock:
            self._models = [
                replace(entry, is_used=True, coverage=1.0)
                if model.source == entry.source
                else replace(model, is_used=False)
                for model in self._models
            ]
        used = ModelValue(state=ModelState.READY, name=entry.name, model_id=entry.model_id)
        self._context.publish(ModelChanged(model=used))
        return f"{entry.name} answers now.", None


class FakeVocabulary:
    """The tags in use; setting them starts a job that only counts."""

    def __init__(self, context: FakeContext) -> None:
        self._context = context
        self._own: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in use."""
        return self._own or SHIPPED_TAGS

    def _get(self, body: GetVocabulary, call: Call) -> ReplyBody:
        return VocabularyReply(tags=self.tags, is_own=bool(self._own))

    def _set(self, body: SetVocabulary, call: Call) -> ReplyBody:
        if any(len(tag) > MAX_TAG_CHARACTERS for tag in body.tags):
            raise UserError("A tag is too long.", f"The limit is {MAX_TAG_CHARACTERS} characters.")
        self._own = body.tags
        work = FakeWork(
            title="Choosing tags again",
            total=max(1, len(self._context.media)),
            kind=JobKind.TAG,
            stage="Choosing tags",
            end=self._tagged,
        )
        return self._context.jobs.start(work)

    def _tagged(self, job: JobValue) -> tuple[str, None]:
        self._context.publish(RowsChanged())
        return f"{job.done} photos have their tags.", None
