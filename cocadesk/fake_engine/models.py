"""The fake engine's models and tags: a short list of each, and jobs that count."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.jobs import FakeWork
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    FetchModel,
    GetVocabulary,
    JobReply,
    ListModels,
    MeasureModel,
    ModelChanged,
    ModelRemoved,
    Models,
    RemoveModel,
    ReplyBody,
    RowsChanged,
    SetVocabulary,
    UseModel,
    VocabularyReply,
)
from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    ModelEntry,
    ModelOffer,
    ModelPurpose,
    ModelState,
    ModelValue,
    RecallValue,
)

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
        is_used_for_captions=True,
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
        is_removable=True,
        photos_per_second=17.5,
        seconds_for_library=5_700.0,
    ),
)


OFFERS = (
    ModelOffer(
        source="starter",
        name="Starter",
        title="Small and quick",
        good_for="Everyday things and scenes in English. It comes with the program.",
        size_bytes=36_200_000,
        is_here=True,
        recall=(
            RecallValue(data="Flickr8k dev, 1,000 photos", at_1=0.252, at_5=0.537, is_ours=True),
        ),
        photos_per_second=48.0,
        seconds_for_library=0.0,
    ),
    ModelOffer(
        source="open_clip:coca_ViT-B-32/laion2b_s13b_b90k",
        name="CoCa ViT-B-32",
        title="Good",
        good_for="Knows kinds of animals, plants and things that the starter has never seen.",
        size_bytes=1_014_000_000,
        is_here=True,
        needs_bytes=1_014_000_000,
        recall=(
            RecallValue(data="Flickr30k test, 1,000 photos", at_1=0.634, at_5=0.857),
            RecallValue(data="COCO test, 5,000 photos", at_1=0.362, at_5=0.614),
        ),
        photos_per_second=17.5,
        seconds_for_library=5_700.0,
    ),
    ModelOffer(
        source="open_clip:coca_ViT-L-14/mscoco_finetuned_laion2b_s13b_b90k",
        name="CoCa ViT-L-14",
        title="Best",
        good_for="Finds best, and was tuned on captions that people wrote.",
        size_bytes=2_554_000_000,
        needs_bytes=4_108_000_000,
        fetched_bytes=1_000_000_000,
        recall=(
            RecallValue(data="Flickr30k test, 1,000 photos", at_1=0.785, at_5=0.945),
            RecallValue(data="COCO test, 5,000 photos", at_1=0.537, at_5=0.778),
        ),
    ),
    ModelOffer(
        source="open_clip:coca_ViT-B-32/mscoco_finetuned_laion2b_s13b_b90k",
        name="CoCa ViT-B-32, tuned on COCO",
        title="For captions only",
        good_for="Was tuned on captions that people wrote, which spoiled its search.",
        size_bytes=1_014_000_000,
        needs_bytes=2_028_000_000,
        is_for_search=False,
        recall=(
            RecallValue(data="Flickr30k test, 1,000 photos", at_1=0.007, at_5=0.021),
            RecallValue(data="COCO test, 5,000 photos", at_1=0.003, at_5=0.014),
        ),
    ),
)
_HUB = ("hf-hub:", "open_clip:")
FREE_BYTES = 120_000_000_000
SPEED = 1.9
_FETCH_STEPS = 20


class FakeModels:
    """Three models; a switch counts through the media and then switches.

    What is fetched comes in a few steps of many bytes, with no network.
    """

    def __init__(self, context: FakeContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._models = list(MODELS)
        self._offers = {offer.source: offer for offer in OFFERS}
        self._jobs: dict[str, list[str]] = {}

    def _list(self, body: ListModels, call: Call) -> ReplyBody:
        return self._listed()

    def _listed(self) -> Models:
        jobs = {job.id: job for job in self._context.jobs.all()}
        with self._lock:
            entries = {model.source: model for model in self._models}
            offers = []
            for source, offer in self._offers.items():
                entry = entries.get(source, ModelEntry(source="", name=""))
                rate = offer.photos_per_second
                seconds = len(self._context.media) * (1 - entry.coverage) / rate if rate else None
                shown = replace(
                    offer,
                    listed_as=entry.source,
                    is_used=entry.is_used,
                    is_used_for_captions=entry.is_used_for_captions,
                    coverage=entry.coverage,
                    seconds_for_library=seconds,
                    free_bytes=FREE_BYTES,
                    fetched_from="" if offer.is_here else "models.example.org",
                )
                offers.append(_with_jobs(shown, [jobs[one] for one in self._jobs.get(source, ())]))
            return Models(models=tuple(self._models), offers=tuple(offers))

    def _measure(self, body: MeasureModel, call: Call) -> ReplyBody:
        if body.source not in self._offers:
            raise UserError("The speed of this model could not be measured.", "It is nowhere.")
        self._change_offer(body.source, photos_per_second=SPEED)
        return self._listed()

    def _fetch(self, body: FetchModel, call: Call) -> ReplyBody:
        _check_name(body.source)
        with self._lock:
            offer = self._offers.get(body.source)
        name = offer.name if offer else body.source
        total = offer.size_bytes if offer else 1_000_000_000
        work = FakeWork(
            title=f"Fetching {name}",
            total=total,
            step_size=total // _FETCH_STEPS + 1,
            is_bytes=True,
            kind=JobKind.FETCH_MODEL,
            stage=f"Fetching {name}",
            end=lambda _job: self._fetched(body.source, name, total),
        )
        return self._started(body.source, work)

    def _started(self, source: str, work: FakeWork) -> JobReply:
        reply = self._context.jobs.start(work)
        with self._lock:
            self._jobs.setdefault(source, []).append(reply.job.id)
        return reply

    def _fetched(self, source: str, name: str, size_bytes: int) -> tuple[str, None]:
        self._change_offer(source, is_here=True, fetched_bytes=0)
        entry = ModelEntry(source=source, name=name, size_bytes=size_bytes, is_removable=True)
        self._list_it(entry)
        return f"{name} is on this computer now.", None

    def _remove(self, body: RemoveModel, call: Call) -> ReplyBody:
        _check_name(body.source)
        with self._lock:
            model = next((one for one in self._models if one.source == body.source), None)
            if model and model.is_used:
                raise UserError(f"{body.source} can't be removed.", "It is in use.")
            offer = self._offers.get(body.source)
            here = offer.fetched_bytes if offer else 0
            if model is not None:
                self._models.remove(model)
                here = model.size_bytes
            self._jobs.pop(body.source, None)
        self._change_offer(body.source, is_here=False, fetched_bytes=0)
        return ModelRemoved(freed_bytes=here)

    def _change_offer(self, source: str, **changes: object) -> None:
        with self._lock:
            if source in self._offers:
                self._offers[source] = replace(self._offers[source], **changes)

    def _use(self, body: UseModel, call: Call) -> ReplyBody:
        with self._lock:
            offer = self._offers.get(body.source)
        for_captions = body.purpose is ModelPurpose.CAPTIONS
        if offer is not None and not offer.is_for_search and not for_captions:
            raise UserError(
                f"{offer.name} can't search.",
                "Its tuning on captions spoiled its search.",
                "Choose it for captions, beside another model that searches.",
            )
        with self._lock:
            entry = next((model for model in self._models if model.source == body.source), None)
        if entry is None and not body.source.startswith(("hf-hub:", "open_clip:")):
            raise UserError(
                "This is not a model that CocaDesk can read.",
                f"{body.source} holds no checkpoint.",
                "Choose a file that ends in .safetensors or .pt, or a run's folder.",
            )
        if entry is None:
            name = offer.name if offer else body.source.split(":")[-1]
            size = offer.size_bytes if offer else 0
            entry = ModelEntry(source=body.source, name=name, size_bytes=size, is_removable=True)
        if offer is not None and not offer.is_here:
            self._fetch(FetchModel(source=body.source), call)  # the switch waits for it
        if for_captions:
            return self._started(body.source, self._captions_by(entry))
        missing = round(len(self._context.media) * (1 - entry.coverage))
        work = FakeWork(
            title=f"Switching to {entry.name}",
            total=max(1, missing),
            kind=JobKind.SWITCH_MODEL,
            stage="Looking at your photos again",
            end=lambda _job: self._switch(entry),
        )
        return self._started(body.source, work)

    def _captions_by(self, entry: ModelEntry) -> FakeWork:
        """The job that lets a model write captions: nothing is looked at again."""

        def end(_job: JobValue) -> tuple[str, None]:
            self._list_it(entry)
            with self._lock:
                self._models = [
                    replace(model, is_used_for_captions=model.source == entry.source)
                    for model in self._models
                ]
            return f"{entry.name} writes captions now.", None

        title = f"Captions by {entry.name}"
        return FakeWork(title=title, total=1, kind=JobKind.SWITCH_MODEL, stage="", end=end)

    def _list_it(self, entry: ModelEntry) -> None:
        with self._lock:
            if all(model.source != entry.source for model in self._models):
                self._models.append(entry)

    def _switch(self, entry: ModelEntry) -> tuple[str, None]:
        self._list_it(entry)
        with self._lock:
            self._models = [
                replace(model, is_used=True, is_used_for_captions=True, coverage=1.0)
                if model.source == entry.source
                else replace(model, is_used=False, is_used_for_captions=False)
                for model in self._models
            ]
        self._change_offer(entry.source, is_here=True, fetched_bytes=0)
        used = ModelValue(state=ModelState.READY, name=entry.name, model_id=entry.model_id)
        self._context.publish(ModelChanged(model=used))
        return f"{entry.name} answers now.", None


def _with_jobs(offer: ModelOffer, jobs: Sequence[JobValue]) -> ModelOffer:
    """The offer with what its jobs, the oldest first, make of it."""
    is_open = [job for job in jobs if not job.state.is_final]
    if is_open:
        is_awaited = any(job.kind is JobKind.SWITCH_MODEL for job in is_open)
        return replace(offer, job_id=is_open[0].id, is_awaited=is_awaited)
    fetches = [job for job in jobs if job.kind is JobKind.FETCH_MODEL]
    if not fetches or offer.is_here:
        return offer
    job = fetches[-1]
    problem = job.message if job.state is JobState.FAILED else ""
    return replace(offer, fetched_bytes=max(job.done, offer.fetched_bytes), problem=problem)


def _check_name(source: str) -> None:
    organisation, _, name = source.partition(":")[2].partition("/")
    if not source.startswith(_HUB) or not organisation.strip(".") or not name:
        raise UserError(f"“{source}” names no model.", "", "Write hf-hub:ORGANISATION/NAME.")


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
