"""The switch from one model to another while the old one answers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from cocadesk.engine.caption_model import check_captions, check_search, spoiled
from cocadesk.engine.conversions import to_failures
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.index_job import job_step, stage_of, update_steps
from cocadesk.engine.job_steps import JobOutcome, JobStep, Steps, relayed
from cocadesk.engine.model_fetching import (
    ModelFetcher,
    fetched_where_absent,
    kept_name_of,
    name_of,
)
from cocadesk.engine.switch_orders import ModelSwitchSpec, switch_spec
from cocadesk.engine.teaching.runs import Choice, RunStore
from cocadesk.errors import UserError, kept, tr
from cocadesk.locations import RUN_PREFIX, STARTER, durable_source
from cocadesk.protocol.messages import RowsChanged
from cocadesk.protocol.values import (
    IndexReport,
    JobAction,
    JobKind,
    JobState,
    JobValue,
    ModelPurpose,
)

if TYPE_CHECKING:
    from cocadesk.indexing.types import ReembedReport
    from cocadesk.model.backend import Backend

STAGE = tr("Reading photos and videos for the new model")
UPDATE = kept("Reading photos and videos again with the improved model")
IMPROVED = kept("the improved model")
OPENING_STEP_S = 0.3
STEP_LIMIT_S = 60.0


class ModelSwitcher:
    """Lets another model answer: at once where the stored vectors fit, else after a job."""

    def __init__(self, context: EngineContext, fetcher: ModelFetcher) -> None:
        self._context = context
        self._fetcher = fetcher
        self._using = threading.Lock()
        self._lock = threading.Lock()
        self._ready: dict[str, Backend] = {}
        self._runs = RunStore(context.library.runs_folder)

    def use(self, source: str, purpose: ModelPurpose | None = None) -> JobValue:
        """The job that makes ``source`` answer; it is done already where nothing had to be read.

        Any other switch that waits or runs is cancelled, with what is fetched for it alone: the
        last request counts. One for captions alone and one for search leave each other.

        Raises:
            UserError: the source is no model, or can't do what it shall.
        """
        source = durable_source(source)
        if purpose is ModelPurpose.CAPTIONS:
            job = self._ordered_for_captions(source)
        else:
            refuse_for_search(source)
            job = self._ordered(source, purpose)
        self._fetcher.give_up_unwanted()
        if source.startswith(RUN_PREFIX):
            self._runs.choose(source.removeprefix(RUN_PREFIX), Choice.KEPT)
        return job

    def _ordered(self, source: str, purpose: ModelPurpose | None) -> JobValue:
        title = kept("Switching to {model}", model=self._kept_name(source))
        captions = self._context.library.manifest.caption_source
        order = ModelSwitchSpec(source=source, purpose=purpose, captions_before=captions)
        spec = order.encoded()
        jobs = self._context.jobs()
        if source == STARTER == self._context.model.source:
            self._context.model.settled()
        with self._using:
            if source == STARTER and self._context.model.awaits_vectors():
                self._give_up_others(self._update_spec())
                return jobs.add(JobKind.SWITCH_MODEL, UPDATE, self._update_spec())
            if _is_of_hub(source):
                self._fetcher.order_where_absent(source)  # the switch waits for it
                self._give_up_others(spec)
                return jobs.add(JobKind.SWITCH_MODEL, title, spec)
            backend = self._open(order)  # first: what is no model ends no other
            self._give_up_others(spec)
            if not self._fits(backend):
                self._keep_ready(source, backend)
                return jobs.add(JobKind.SWITCH_MODEL, title, spec)
            self._keep_captions(order)
            self._switch(backend, order)
            outcome = JobOutcome(
                message=kept("Search answers with {model} now.", model=self._kept_name(source))
            )
            return jobs.record(JobKind.SWITCH_MODEL, title, spec, outcome)

    def _ordered_for_captions(self, source: str) -> JobValue:
        title = kept("Captions by {model}", model=self._kept_name(source))
        order = ModelSwitchSpec(source=source, purpose=ModelPurpose.CAPTIONS)
        jobs = self._context.jobs()
        with self._using:
            if _is_of_hub(source):
                self._fetcher.order_where_absent(source)
                self._give_up_others(order.encoded())
                return jobs.add(JobKind.SWITCH_MODEL, title, order.encoded())
            backend = self._open(order)
            self._give_up_others(order.encoded())
            outcome = self._caption_with(backend, source)
            return jobs.record(JobKind.SWITCH_MODEL, title, order.encoded(), outcome)

    def _caption_with(self, backend: Backend, source: str) -> JobOutcome:
        self._context.model.use_for_captions(backend, source)
        name = self._kept_name(source)
        said = kept("Captions are written by {model} from now on.", model=name)
        return JobOutcome(message=said)

    def _open(self, order: ModelSwitchSpec) -> Backend:
        """The model of an order, open, which can do what it shall.

        Raises:
            UserError: it can't, or it is no model.
        """
        source, model = order.source, self._context.model
        if order.is_for_captions_alone:
            return model.captions.open(source)
        backend = model.open(source)
        try:
            check_search(backend, source)
            if order.purpose is ModelPurpose.BOTH:
                check_captions(backend, source)
        except BaseException:
            backend.close()
            raise
        return backend

    def update(self) -> None:
        """Begins to read all media where the program came with a newer starter.

        Not while another switch waits, nor again where that failed or was cancelled: an
        index goes on with it, and so does ``use``.
        """
        if not self._context.model.awaits_vectors():
            return
        jobs = self._context.jobs()
        with self._using:
            spec = self._update_spec()
            for job in jobs.all():
                is_given_up = job.state is not JobState.DONE and jobs.spec(job.id) == spec
                if job.kind is JobKind.SWITCH_MODEL and (is_given_up or not job.state.is_final):
                    return
            jobs.add(JobKind.SWITCH_MODEL, UPDATE, spec)

    def _update_spec(self) -> str:
        image_id = self._context.model.value().image_id
        return ModelSwitchSpec(source=STARTER, update=image_id).encoded()

    def _update_steps(self) -> Steps:
        yield JobStep(stage=tr("Waiting for the model"), done=0)
        return _outcome((yield from update_steps(self._context)), IMPROVED)

    def steps(self, spec: str) -> Steps:
        """The switch of a spec; see ``cocadesk.engine.job_steps.JobFactory``."""
        order = switch_spec(spec)
        if order.update:
            return self._update_steps()
        if order.is_for_captions_alone:
            return self._caption_steps(order)
        return self._switch_steps(order)

    def _caption_steps(self, order: ModelSwitchSpec) -> Steps:
        backend = yield from self._opened(order)
        return self._caption_with(backend, order.source)

    def _switch_steps(self, order: ModelSwitchSpec) -> Steps:
        from cocadesk.indexing.reembed import SWITCHING, reembed_steps

        source = order.source
        backend = yield from self._opened(order)
        self._keep_captions(order)
        power = self._context.power
        is_careful = self._context.crash_guard.is_careful
        options = replace(SWITCHING, is_careful=is_careful, rest=power.rest)
        work = reembed_steps(self._context.library, backend, source=source, options=options)
        try:
            report = yield from relayed(
                work, lambda now: job_step(now, stage_of(backend, power.said_of(STAGE)))
            )
        except BaseException:
            backend.close()
            raise
        self._switch(backend, order)
        return _outcome(report, self._kept_name(source))

    def renewed(self, _job: JobValue, spec: str) -> str:
        """The order of a switch that starts again; any other one is given up.

        Raises:
            UserError: it leads nowhere any more; another one that runs goes on then.
        """
        wanted = switch_spec(spec)
        with self._using:
            if wanted.update:
                if not self._context.model.awaits_vectors():
                    raise UserError(
                        tr("There is nothing to read again."),
                        tr("The model that answers has read all photos and videos."),
                    )
                spec = self._update_spec()
            elif _is_of_hub(wanted.source):
                self._fetcher.order_where_absent(wanted.source)
            else:
                backend = self._open(wanted)  # what is no model ends no other
                self._keep_ready(wanted.source, backend)
            self._give_up_others(spec)
        return spec

    def close(self) -> None:
        """Frees models that were opened for a job that has not begun."""
        self._keep_ready("", None)

    def _kept_name(self, source: str) -> str:
        """The name of a model in a sentence, kept in English; a run by its title."""
        if source == STARTER:
            return kept("the starter")
        if source.startswith(RUN_PREFIX):
            with contextlib.suppress(UserError):
                record = self._runs.get(source.removeprefix(RUN_PREFIX))
                return kept("the model of “{run}”", run=record.title)
        name = kept_name_of(source)
        return name if name != source else kept("the model {source}", source=source)

    def _fits(self, backend: Backend) -> bool:
        """True where the vectors that answer now are this model's too, or there are none."""
        library = self._context.library
        return library.model in (None, backend.info().image_id) or not library.counts().media

    def _keep_captions(self, order: ModelSwitchSpec) -> None:
        """Where a model shall only search: before the library names it in place of the old one."""
        if order.purpose is ModelPurpose.SEARCH:
            self._context.model.keep_captions()

    def _switch(self, backend: Backend, order: ModelSwitchSpec) -> None:
        library, model = self._context.library, self._context.model
        is_for_search_alone = order.purpose is ModelPurpose.SEARCH
        if not is_for_search_alone and library.manifest.caption_source == order.captions_before:
            library.set_caption_source(None)
        model.use(backend, order.source)
        self._context.publish(RowsChanged())

    def _keep_ready(self, source: str, backend: Backend | None) -> None:
        """Holds an open model for its job, instead of any other."""
        with self._lock:
            while self._ready:
                self._ready.popitem()[1].close()
            if backend is not None:
                self._ready[source] = backend

    def _give_up_others(self, spec: str) -> None:
        jobs = self._context.jobs()
        is_for_captions = switch_spec(spec).is_for_captions_alone
        for job in jobs.all():
            if job.kind is not JobKind.SWITCH_MODEL or job.state.is_final:
                continue
            other = jobs.spec(job.id)
            if other != spec and switch_spec(other).is_for_captions_alone is is_for_captions:
                jobs.control(job.id, JobAction.CANCEL)
                # Its last step may be the one that switches.
                jobs.wait_until_left(job.id, STEP_LIMIT_S)

    def _opened(self, order: ModelSwitchSpec) -> Generator[JobStep, None, Backend]:
        """Opens the model on a thread, fetched first; the job can be stopped meanwhile."""
        with self._lock:
            ready = self._ready.pop(order.source, None)
        if ready is not None:
            return ready
        if _is_of_hub(order.source):
            yield from fetched_where_absent(order.source)
        opening = _open_in_thread(lambda: self._open(order))
        try:
            while not wait([opening], OPENING_STEP_S).done:
                yield JobStep(stage=tr("Opening the model"), done=0)
        except GeneratorExit:
            opening.add_done_callback(_close_once_open)
            raise
        return opening.result()


def _is_of_hub(source: str) -> bool:
    from cocadesk.model.checkpoints import hub

    return hub.is_of_hub(source)


def refuse_for_search(source: str) -> None:
    """Nothing for a model that may search.

    Raises:
        UserError: its search is known to be spoiled.
    """
    from cocadesk.model.offers import offered

    offer = offered(source)
    if offer is not None and not offer.is_for_search:
        raise UserError(
            tr("{name} can't search.", name=name_of(source)),
            spoiled(),
            tr(
                "Let it write captions alone: cocadesk model use {source} --for captions.",
                source=source,
            ),
        )


def _open_in_thread(open_model: Callable[[], Backend]) -> Future[Backend]:
    opening: Future[Backend] = Future()

    def run() -> None:
        try:
            opening.set_result(open_model())
        except Exception as error:  # noqa: BLE001 - raised again by whoever asks
            opening.set_exception(error)

    threading.Thread(target=run, name="opening", daemon=True).start()
    return opening


def _close_once_open(opening: Future[Backend]) -> None:
    if opening.exception() is None:
        opening.result().close()


def _outcome(report: ReembedReport, name: str) -> JobOutcome:
    numbers = IndexReport(
        indexed=report.filled,
        unchanged=report.had,
        missing=report.missing,
        offline=report.offline,
        failed=to_failures(report.unreadable),
        seconds=report.seconds,
    )
    without = len(report.unreadable) + report.missing + report.offline
    read = report.filled + report.had
    message = kept("Search answers with {model} now.", model=name)
    if read:
        message = kept(
            "Search answers with {model} now, for {number} photos and videos.",
            model=name,
            number=f"{read:,}",
        )
    if without:
        rest = kept(
            "{number} could not be read now and wait for the next index.", number=f"{without:,}"
        )
        message = f"{message} {rest}"
    return JobOutcome(
        message=message,
        report=numbers,
        failed=len(report.unreadable),
    )
