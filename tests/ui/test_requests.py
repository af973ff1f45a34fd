"""The parts that speak with the engine, on a link that answers when the test says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QObject, SignalInstance
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    AnnotationsReply,
    ControlJob,
    DatasetSummary,
    DecideRun,
    GetInfo,
    GetRows,
    GetRun,
    GetUndoState,
    GetVocabulary,
    Hits,
    Info,
    JobChanged,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ListModels,
    ListNewest,
    ListRuns,
    ModelChanged,
    Models,
    ModelUpdate,
    PlanWrite,
    PreviewDataset,
    RedoAnnotations,
    Rows,
    Run,
    RunChanged,
    Runs,
    Search,
    SetAnnotations,
    SetVocabulary,
    StartIndex,
    StartTeach,
    TryAgain,
    UndoAnnotations,
    UseModel,
    VocabularyReply,
    WritePlan,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CountsValue,
    Hit,
    JobAction,
    JobKind,
    JobState,
    JobValue,
    ModelEntry,
    ModelState,
    ModelValue,
    Row,
    RunState,
    RunValue,
    Scope,
    TagValue,
    TeachPoint,
    TeachSource,
    TuningMethod,
)
from tests.support.stand_in_link import StandInLink
from ui.annotations.editor import AnnotationEditor, Feedback, FeedbackAction
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.library.browser import Browser
from ui.library.key_list import KeyList
from ui.library.listing import Showing
from ui.library.query import Example, Query
from ui.library.results_model import ResultsModel
from ui.models.requests import ModelRequests
from ui.teach.requests import TeachRequests
from ui.vocabulary.requests import VocabularyRequests

ROW = Row(
    key="k", path=WirePath("/p/a.jpg"), name="a.jpg", folder="/p", caption="a dog",
    tags=(TagValue(tag="dog", score=0.9),),
)  # fmt: skip
INFO = Info(
    library_id="l",
    folder=WirePath("/l"),
    schema="1",
    counts=CountsValue(),
    model=ModelValue(state=ModelState.READY),
)
JOB = JobValue(id="j", kind=JobKind.INDEX, title="t", state=JobState.RUNNING, created="1")
RUN = RunValue(
    id="r", folder=WirePath("/r"), state=RunState.RUNNING, method=TuningMethod.HEAD, created="1"
)


@pytest.fixture
def link(owner: QObject) -> StandInLink:
    """A connected link; what is built on it goes with it."""
    return StandInLink(owner)


def _gathered(signal: SignalInstance) -> list[object]:
    """A list that fills with what the signal carries."""
    found: list[object] = []
    signal.connect(lambda *carried: found.append(carried[0] if carried else None))
    return found


def _hits(*keys: str) -> Hits:
    return Hits(hits=tuple(Hit(key=key, score=1.0, path=WirePath(f"/{key}.jpg")) for key in keys))


# The browser ----------------------------------------------------------------------------


@pytest.fixture
def model(link: StandInLink) -> ResultsModel:
    """An empty list of results."""
    return ResultsModel(link)


@pytest.fixture
def browser(link: StandInLink, model: ResultsModel) -> Browser:
    """A browser that has shown the newest."""
    made = Browser(link, model, link)
    made.search("")
    link.answer(ListNewest, Keys(keys=("a", "b"), total=2))
    return made


def test_everything_comes_in_stretches_of_which_the_first_is_seen_at_once(
    link: StandInLink, model: ResultsModel
) -> None:
    """Nobody waits for a million keys; those that come twice are shown once."""
    browser = Browser(link, model, link)
    settled = _gathered(browser.settled)
    browser.search("")
    link.answer(ListNewest, Keys(keys=("a", "b"), total=4))
    assert model.all_keys() == ["a", "b"]
    assert link.bodies(ListNewest)[0].offset == 2
    assert len(settled) == 1
    link.answer(ListNewest, Keys(keys=("b", "c"), offset=2, total=4))
    assert model.all_keys() == ["a", "b", "c"]
    assert len(settled) == 2
    assert browser.listing.showing is Showing.NEWEST


def test_the_same_list_asked_for_again_is_never_shown_half(
    browser: Browser, link: StandInLink, model: ResultsModel
) -> None:
    """What was seen stays until all of it has come."""
    browser.ask_again()
    link.answer(ListNewest, Keys(keys=("n", "a"), total=3))
    assert model.all_keys() == ["a", "b"]
    link.answer(ListNewest, Keys(keys=("b",), offset=2, total=3))
    assert model.all_keys() == ["n", "a", "b"]


def test_the_answer_to_an_older_query_is_never_shown(
    browser: Browser, link: StandInLink, model: ResultsModel
) -> None:
    """Only the last question waits for an answer."""
    browser.search("dog")
    browser.search("cat")
    assert [body.text for body in link.bodies(Search)] == ["cat"]
    assert model.all_keys() == ["a", "b"]
    assert browser.listing.headline.startswith("2 photos")
    link.answer(Search, _hits("c"))
    assert browser.listing.headline == "1 result for “cat”, best match first"


def test_what_filters_alone_find_is_said_to_be_newest_first(
    browser: Browser, link: StandInLink
) -> None:
    """Such hits have no score."""
    browser.search("kind:video")
    hits = tuple(Hit(key=key, score=0.0, path=WirePath(f"/{key}.mp4")) for key in "ab")
    link.answer(Search, Hits(hits=hits))
    assert browser.listing.headline == "2 results for “kind:video”, newest first"


def test_only_the_same_question_keeps_the_place(
    browser: Browser, link: StandInLink, model: ResultsModel
) -> None:
    """Another query begins at its top, also where the engine was asked twice for it."""
    browser.search("dog")
    browser.ask_again()
    link.answer(Search, _hits("c", "d"))
    assert not model.keeps_place
    browser.ask_again()
    link.answer(Search, _hits("d", "c"))
    assert model.keeps_place
    browser.ask(Query(examples=(Example(key="c", name="c.jpg"),)))
    link.answer(Search, _hits("d"))
    assert not model.keeps_place


def test_a_problem_keeps_the_list_and_goes_with_the_next_answer(
    browser: Browser, link: StandInLink, model: ResultsModel
) -> None:
    """The sentence is part of the listing; the keys stay for when it has passed."""
    browser.ask_again()
    link.fail(ListNewest, UserError("The disk is gone."))
    assert browser.listing.problem is not None
    assert model.all_keys() == ["a", "b"]
    browser.ask_again()
    link.answer(ListNewest, Keys(keys=("a", "b"), total=2))
    assert browser.listing.problem is None


def test_a_new_engine_is_asked_the_same_question(browser: Browser, link: StandInLink) -> None:
    """Whatever was looked for when the last one ended."""
    browser.ask(Query(examples=(Example(key="a", name="a.jpg"),)))
    link.lose()
    link.come_back()
    assert [body.like for body in link.bodies(Search)] == [("a",)]


def test_rows_are_fetched_for_what_is_painted(
    browser: Browser, link: StandInLink, model: ResultsModel, qtbot: QtBot
) -> None:
    """And asked for again where the engine went before it answered."""
    with qtbot.waitSignal(model.rows_wanted):
        model.index(0).data()
    assert link.bodies(GetRows)[0].keys == ("a",)
    link.lose()
    link.come_back()
    with qtbot.waitSignal(model.rows_wanted):
        model.index(0).data()
    link.answer(GetRows, Rows(rows=(replace(ROW, key="a"),)))
    assert model.index(0).data() == "a.jpg"


@pytest.mark.parametrize("kind", list(JobKind))
def test_the_list_is_asked_for_again_after_jobs_that_change_rows(
    browser: Browser, link: StandInLink, kind: JobKind
) -> None:
    """A text file that was written changes none."""
    browser.on_job_ended(replace(JOB, kind=kind, state=JobState.DONE))
    changes = kind not in (JobKind.WRITE, JobKind.TEACH)
    assert bool(link.bodies(ListNewest)) is changes


# The editor -----------------------------------------------------------------------------


@pytest.fixture
def editor(link: StandInLink) -> AnnotationEditor:
    """An editor that knows one photo."""
    return AnnotationEditor(link, {"k": ROW}.get, link)


def test_an_edit_is_shown_before_the_engine_has_answered(
    editor: AnnotationEditor, link: StandInLink
) -> None:
    """The row as it will be; what is not known here is left to the engine."""
    shown = _gathered(editor.shown)
    editor.set(["k", "unknown"], "Caption saved", caption=" mine ")
    assert shown == [(replace(ROW, caption="mine", caption_by_person=True),)]
    assert not editor.is_settled()
    editor.set(["k"], "Tag added", add=["sea"], remove=["dog"])
    (row,) = shown[1]
    assert [tag.tag for tag in row.tags] == ["sea"]


def test_edits_are_sent_one_after_the_other(editor: AnnotationEditor, link: StandInLink) -> None:
    """The second waits for the answer to the first, so that undo has an order."""
    editor.set(["k"], "", caption="one")
    editor.set(["k"], "", caption="two")
    editor.undo()
    assert [type(body) for body in link.sent] == [SetAnnotations]
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",)))
    assert [body.caption for body in link.bodies(SetAnnotations)] == ["two"]
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",)))
    assert link.bodies(UndoAnnotations) != []


def test_a_photo_is_asked_for_again_once_nothing_waits_for_it(
    editor: AnnotationEditor, link: StandInLink
) -> None:
    """Until the last edit of it is answered it stays as it is shown."""
    settled, idle = _gathered(editor.settled), _gathered(editor.idle)
    editor.set(["k"], "", caption="one")
    editor.set(["k"], "", caption="two")
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",)))
    assert (settled, len(idle)) == ([()], 0)
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",)))
    assert (settled[-1], len(idle)) == (("k",), 1)


def test_stars_on_a_million_photos_stop_nobody(link: StandInLink) -> None:
    """Of what is selected and answered only the rows that are here are told (0.25 s measured)."""
    texts = [f"01J{number:023d}" for number in range(1_000_000)]
    keys, here = KeyList(texts), {texts[7]: ROW, texts[-1]: ROW}
    editor = AnnotationEditor(cast("EngineLink", link), here.get, link)
    shown, settled = _gathered(editor.shown), _gathered(editor.settled)
    begun_s = time.process_time()
    chosen = keys.texts(0, len(keys))
    editor.set(chosen, "3 stars on 1,000,000 photos", rating=3)
    while link.bodies(SetAnnotations):
        body = link.bodies(SetAnnotations)[0]
        link.answer(SetAnnotations, AnnotationsReply(changed=body.keys))
    assert time.process_time() - begun_s < 1.5
    assert chosen == texts
    assert [len(rows) for rows in cast("list[tuple[Row, ...]]", shown)] == [2]
    assert settled == [(texts[7],), (texts[-1],)]


def test_a_refused_edit_is_put_back_and_the_next_is_sent(
    editor: AnnotationEditor, link: StandInLink
) -> None:
    """The photo is asked for, the reason is told."""
    settled, told = _gathered(editor.settled), _gathered(editor.feedback)
    editor.set(["k"], "", caption="one")
    editor.set(["other"], "", caption="two")
    link.fail(SetAnnotations, UserError("The disk is full."))
    assert settled == [("k",)]
    assert told == [Feedback(text="The disk is full.")]
    assert [body.keys for body in link.bodies(SetAnnotations)] == [("other",)]


def test_the_notice_of_an_edit_offers_the_way_back(
    editor: AnnotationEditor, link: StandInLink
) -> None:
    """Undo after an edit, redo after an undo; nothing where nothing changed."""
    told = _gathered(editor.feedback)
    editor.set(["k"], "Caption saved", caption="mine")
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",), undo_title="Caption"))
    assert told.pop() == Feedback(text="Caption saved", offer=FeedbackAction.UNDO)
    assert editor.undo_title == "Caption"
    editor.undo()
    link.answer(UndoAnnotations, AnnotationsReply(changed=("k",), title="Caption"))
    assert told.pop() == Feedback(text="Undone: Caption", offer=FeedbackAction.REDO)
    editor.redo()
    link.answer(RedoAnnotations, AnnotationsReply(changed=("k",), title="Caption"))
    assert told.pop() == Feedback(text="Redone: Caption", offer=FeedbackAction.UNDO)
    editor.undo()
    link.answer(UndoAnnotations, AnnotationsReply())
    assert told.pop() == Feedback(text="There is nothing to undo.")
    editor.set(["k"], "Caption saved", caption="mine")
    link.answer(SetAnnotations, AnnotationsReply())
    assert told == []


def test_a_new_engine_gets_the_edits_but_no_undo_twice(
    editor: AnnotationEditor, link: StandInLink
) -> None:
    """Setting twice is setting once; an undo may have been done before it went."""
    told = _gathered(editor.feedback)
    editor.set(["k"], "", caption="one")
    editor.undo()
    link.lose()
    editor.set(["k"], "", caption="two")
    assert told == [Feedback(text="This is saved as soon as the engine is back.")]
    link.come_back()
    assert [type(body) for body in link.sent[1:]] == [GetUndoState, SetAnnotations]
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",)))
    assert [body.caption for body in link.bodies(SetAnnotations)] == ["two"]
    link.answer(SetAnnotations, AnnotationsReply(changed=("k",)))
    assert editor.is_settled()
    assert link.bodies(UndoAnnotations) == []


def test_edits_of_others_change_what_can_be_undone(
    editor: AnnotationEditor, link: StandInLink
) -> None:
    """Undo belongs to the library."""
    changed = _gathered(editor.titles_changed)
    link.event_received.emit(AnnotationsChanged(undo_title="Tag “sea”", redo_title=""))
    assert editor.undo_title == "Tag “sea”"
    assert len(changed) == 1


# Jobs -----------------------------------------------------------------------------------


@pytest.fixture
def tracker(link: StandInLink) -> JobTracker:
    """A tracker that knows no job."""
    return JobTracker(link, link)


def test_jobs_come_newest_first_and_the_active_ones_are_told_apart(
    tracker: JobTracker, link: StandInLink
) -> None:
    """By events and by answers alike."""
    tracker.index(["/photos"])
    link.answer(StartIndex, JobReply(job=JOB))
    later = replace(JOB, id="l", created="2", state=JobState.DONE)
    link.event_received.emit(JobChanged(job=later))
    assert [job.id for job in tracker.all()] == ["l", "j"]
    assert [job.id for job in tracker.active()] == ["j"]


def test_the_end_of_a_job_is_told_once(tracker: JobTracker, link: StandInLink) -> None:
    """Whatever comes late."""
    ended = _gathered(tracker.ended)
    for state in (JobState.RUNNING, JobState.DONE, JobState.RUNNING, JobState.DONE):
        link.event_received.emit(JobChanged(job=replace(JOB, state=state)))
    assert [job.state for job in tracker.all()] == [JobState.DONE]
    assert len(ended) == 1


def test_a_job_that_ended_while_nobody_was_connected_is_told(
    tracker: JobTracker, link: StandInLink
) -> None:
    """Of the others only those that go on; unknown old ones are only listed."""
    tracker.take(JOB)
    ended, changed = _gathered(tracker.ended), _gathered(tracker.job_changed)
    link.lose()
    link.come_back()
    old = replace(JOB, id="old", created="0", state=JobState.DONE)
    link.answer(ListJobs, Jobs(jobs=(replace(JOB, state=JobState.DONE), old)))
    assert [job.id for job in ended] == ["j"]
    assert [job.id for job in changed] == ["j"]
    assert [job.id for job in tracker.all()] == ["j", "old"]


def test_without_an_engine_a_job_is_not_started_in_silence(
    tracker: JobTracker, link: StandInLink
) -> None:
    """A sentence says that it is still starting."""
    failed = _gathered(tracker.failed)
    link.lose()
    tracker.index(["/photos"])
    assert [str(error) for error in failed] == [
        "The engine is still starting. Try again in a few seconds."
    ]
    assert link.sent == []


def test_only_the_last_plan_that_was_asked_for_comes(
    tracker: JobTracker, link: StandInLink
) -> None:
    """A choice that was taken back leaves no plan behind."""
    plans = _gathered(tracker.plan_came)
    tracker.plan_write(Scope(), overwrite=False)
    tracker.plan_write(Scope(), overwrite=True)
    assert [body.overwrite for body in link.bodies(PlanWrite)] == [True]
    link.answer(PlanWrite, WritePlan(items=(), new=3))
    assert [plan.new for plan in plans] == [3]
    tracker.plan_write(Scope(), overwrite=True)
    tracker.forget_plan()
    assert link.bodies(PlanWrite) == []


def test_a_job_is_controlled_by_its_id(tracker: JobTracker, link: StandInLink) -> None:
    """Pause, resume and stop are one request."""
    for action in JobAction:
        tracker.control("j", action)
    assert [(body.job_id, body.action) for body in link.bodies(ControlJob)] == [
        ("j", action) for action in JobAction
    ]


# The pages ------------------------------------------------------------------------------


def _entry(source: str, **more: object) -> ModelEntry:
    return replace(ModelEntry(source=source, name=source, image_id="eye"), **more)


def test_a_model_is_free_where_the_vectors_serve_it(link: StandInLink) -> None:
    """The same image side as the one in use, or everything read already."""
    requests = ModelRequests(link, JobTracker(link, link), link)
    requests.refresh()
    models = (_entry("starter", is_used=True), _entry("taught"), _entry("other", image_id="b"))
    link.answer(ListModels, Models(models=models))
    assert requests.is_free(models[1])
    assert not requests.is_free(models[2])
    assert requests.is_free(replace(models[2], coverage=1.0))


def test_equal_models_are_not_listed_again(link: StandInLink) -> None:
    """Rows that stay keep the focus; a switch elsewhere asks for all."""
    requests = ModelRequests(link, JobTracker(link, link), link)
    listed = _gathered(requests.listed)
    for _ in range(2):
        link.event_received.emit(ModelChanged(model=ModelValue(state=ModelState.READY)))
        link.answer(ListModels, Models(models=(_entry("starter"),)))
    assert len(listed) == 1


def test_a_switch_of_models_is_followed_like_every_job(
    tracker: JobTracker, link: StandInLink
) -> None:
    """The answer brings its job; a new engine lists it again."""
    requests = ModelRequests(link, tracker, link)
    changed = _gathered(tracker.job_changed)
    requests.use("other")
    switch = replace(JOB, id="s", kind=JobKind.SWITCH_MODEL)
    link.answer(UseModel, JobReply(job=switch))
    link.come_back()
    link.answer(ListJobs, Jobs(jobs=(JOB, switch)))
    assert sorted(job.id for job in changed) == ["j", "s", "s"]
    assert tracker.find("s") == switch


def test_the_models_are_asked_for_again_after_every_job(
    tracker: JobTracker, link: StandInLink
) -> None:
    """An index ends the reading for an improved model too."""
    requests = ModelRequests(link, tracker, link)
    requests.refresh()
    link.answer(GetInfo, replace(INFO, update=ModelUpdate(done=1, total=2)))
    assert requests.is_update
    tracker.take(replace(JOB, kind=JobKind.INDEX, state=JobState.DONE))
    link.answer(GetInfo, INFO)
    assert not requests.is_update


def test_tags_that_are_saved_come_back_with_their_job(
    tracker: JobTracker, link: StandInLink
) -> None:
    """It is followed like every job."""
    requests = VocabularyRequests(link, tracker, link)
    kept = _gathered(requests.kept)
    requests.keep(("boat",))
    link.answer(SetVocabulary, JobReply(job=replace(JOB, kind=JobKind.TAG)))
    assert kept == [("boat",)]
    assert [job.kind for job in tracker.active()] == [JobKind.TAG]


def test_tags_that_cannot_be_read_are_explained(link: StandInLink) -> None:
    """And asked for when the engine is back."""
    requests = VocabularyRequests(link, JobTracker(link, link), link)
    failed, came = _gathered(requests.failed), _gathered(requests.tags_came)
    requests.ask()
    link.fail(GetVocabulary, UserError("The list is damaged."))
    assert [str(error) for error in failed] == ["The list is damaged."]
    link.come_back()
    link.answer(GetVocabulary, VocabularyReply(tags=("boat",), is_own=True))
    assert [answer.tags for answer in came] == [("boat",)]


@pytest.fixture
def teach(link: StandInLink) -> TeachRequests:
    """Requests that have started a run."""
    made = TeachRequests(link, JobTracker(link, link), link)
    made.start(TeachSource(uses_library=True), TuningMethod.HEAD, "Quillets")
    link.answer(StartTeach, JobReply(job=replace(JOB, id="r", kind=JobKind.TEACH), report=RUN))
    return made


def test_a_summary_comes_in_two_parts_and_only_for_the_last_choice(link: StandInLink) -> None:
    """Counts first, the time later; another choice silences both."""
    teach = TeachRequests(link, JobTracker(link, link), link)
    found = _gathered(teach.found)
    teach.inspect(TeachSource(uses_library=True), TuningMethod.HEAD)
    teach.inspect(TeachSource(uses_library=True), TuningMethod.DEEPER)
    assert [body.method for body in link.bodies(PreviewDataset)] == [TuningMethod.DEEPER]
    link.partly_answer(PreviewDataset, DatasetSummary(photos=3))
    link.answer(PreviewDataset, DatasetSummary(photos=3, seconds=9.0))
    assert [summary.seconds for summary in found] == [None, 9.0]
    teach.inspect(TeachSource(uses_library=True), TuningMethod.HEAD)
    teach.stop_inspecting()
    link.come_back()
    assert link.bodies(PreviewDataset) == []


def test_a_summary_is_asked_for_again_by_a_new_engine(link: StandInLink) -> None:
    """Nothing hangs."""
    teach = TeachRequests(link, JobTracker(link, link), link)
    teach.inspect(TeachSource(uses_library=True), TuningMethod.HEAD)
    link.lose()
    link.come_back()
    assert len(link.bodies(PreviewDataset)) == 1
    failed = _gathered(teach.check_failed)
    link.fail(PreviewDataset, UserError("No such folder."))
    assert [str(error) for error in failed] == ["No such folder."]


def test_a_start_without_an_answer_is_told_when_the_engine_is_back(link: StandInLink) -> None:
    """Either the run is in the list, or one may try again."""
    teach = TeachRequests(link, JobTracker(link, link), link)
    lost = _gathered(teach.start_lost)
    teach.start(TeachSource(uses_library=True), TuningMethod.HEAD, "t")
    link.lose()
    link.come_back()
    link.come_back()
    assert len(lost) == 1


def test_a_curve_grows_by_steps_in_any_order(teach: TeachRequests, link: StandInLink) -> None:
    """A part that comes twice does no harm."""
    first, second, third = (TeachPoint(step=n, loss=1.0 / n) for n in (1, 2, 3))
    link.event_received.emit(RunChanged(run=RUN, points=(third, second)))
    link.event_received.emit(RunChanged(run=RUN, points=(second, first)))
    assert teach.points("r") == [first, second, third]
    assert teach.points("other") == []


def test_the_run_that_learns_is_found_among_all(teach: TeachRequests, link: StandInLink) -> None:
    """The newest stands first; one that has ended does not learn."""
    listed = _gathered(teach.listed)
    teach.refresh()
    done = replace(RUN, id="d", state=RunState.KEPT, created="2")
    link.answer(ListRuns, Runs(runs=(RUN, done), own_words=4))
    assert [run.id for run in teach.newest_first()] == ["d", "r"]
    running = teach.running()
    assert running is not None
    assert running.id == "r"
    assert teach.annotated_count == 4
    assert len(listed) == 1


def test_a_run_whose_job_has_ended_is_asked_for(teach: TeachRequests, link: StandInLink) -> None:
    """A cancelled run may have nothing else to tell of its end."""
    link.waiting.clear()
    over = replace(JOB, id="r", kind=JobKind.TEACH, state=JobState.CANCELLED)
    link.event_received.emit(JobChanged(job=over))
    assert [body.run_id for body in link.bodies(GetRun)] == ["r"]
    link.event_received.emit(JobChanged(job=over))
    assert len(link.bodies(GetRun)) == 1


def test_a_decision_brings_the_run_as_it_is_then(teach: TeachRequests, link: StandInLink) -> None:
    """Kept or discarded."""
    changed = _gathered(teach.run_changed)
    teach.decide("r", keep=True)
    assert link.bodies(DecideRun)[0].keep
    link.answer(DecideRun, Run(run=replace(RUN, state=RunState.KEPT)))
    assert [run.state for run in changed] == [RunState.KEPT]


def _other_tracker(link: StandInLink) -> JobTracker:
    """One that asks nothing of this link."""
    return JobTracker(StandInLink(link), link)


@pytest.mark.parametrize(
    "make",
    [
        lambda link: JobTracker(link, link).list_jobs,
        lambda link: TeachRequests(link, _other_tracker(link), link).refresh,
        lambda link: ModelRequests(link, _other_tracker(link), link).refresh,
        lambda link: VocabularyRequests(link, _other_tracker(link), link).ask,
    ],
    ids=["jobs", "teach", "models", "tags"],
)
def test_each_part_asks_again_when_the_engine_is_back(
    link: StandInLink, make: Callable[[StandInLink], Callable[[], None]]
) -> None:
    """The same questions as when it is first shown."""
    ask: Callable[[], None] | QObject = make(link)
    assert callable(ask)
    ask()
    first = [type(body) for body in link.sent]
    link.lose()
    link.come_back()
    assert [type(body) for body in link.sent] == first * 2


def test_a_job_that_starts_again_counts_though_it_had_ended(tracker: JobTracker) -> None:
    """A late event of the attempt before is dropped."""
    ended = _gathered(tracker.ended)
    stopped = replace(JOB, state=JobState.CANCELLED)
    tracker.take(stopped)
    tracker.take(JOB)
    assert tracker.find("j") == stopped
    again = replace(JOB, attempt=2)
    tracker.take(again)
    tracker.take(stopped)
    assert tracker.find("j") == again
    tracker.take(replace(again, state=JobState.DONE))
    assert [job.attempt for job in ended if isinstance(job, JobValue)] == [1, 2]


def test_failures_are_tried_again_by_the_id_of_their_job(
    tracker: JobTracker, link: StandInLink
) -> None:
    """Without one, all files that could not be read."""
    tracker.try_again("j")
    tracker.try_again("")
    assert [body.job_id for body in link.bodies(TryAgain)] == ["j", ""]
