"""Words that people own: what every engine must do, the fake one and the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.captions import CaptionLength, CaptionWriting
from cocadesk.protocol.messages import (
    AnnotationsReply,
    Describe,
    Description,
    Detail,
    Failures,
    GetDetail,
    GetHistory,
    GetInfo,
    GetRows,
    GetUndoState,
    GetVocabulary,
    History,
    Info,
    JobReply,
    Keys,
    ListJobFailures,
    ListNewest,
    PlanWrite,
    Progress,
    RedoAnnotations,
    Rows,
    SetAnnotations,
    SetVocabulary,
    StartCaption,
    StartTakeOver,
    StartWrite,
    UndoAnnotations,
    VocabularyReply,
    WatchJob,
    WritePlan,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionReport,
    CaptionStyle,
    JobKind,
    JobState,
    Scope,
    TakeOverReport,
    WriteKind,
    WriteReport,
)

WAIT_S = 60.0


def _keys(client: AnyEngine) -> tuple[str, ...]:
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys


def _say(client: AnyEngine, body: SetAnnotations) -> AnnotationsReply:
    return client.ask(body, AnnotationsReply, timeout_s=WAIT_S)


def _end(client: AnyEngine, started: JobReply) -> JobReply:
    return client.ask(WatchJob(job_id=started.job.id), JobReply, timeout_s=WAIT_S)


def test_a_persons_words_come_first_and_undo_takes_them_back(client: AnyEngine) -> None:
    """Caption and tags in one command; titles say what undo and redo would do."""
    key = _keys(client)[0]
    machine = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert machine.tags or machine.caption
    reply = _say(client, SetAnnotations(keys=(key,), caption="my own words", add_tags=("zed",)))
    assert reply.changed == (key,)
    assert reply.title
    assert reply.title == reply.undo_title
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    assert (row.caption, row.caption_by_person) == ("my own words", True)
    assert ("zed", True) in [(tag.tag, tag.by_person) for tag in row.tags]
    described = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert (described.caption, described.caption_by_person) == ("my own words", True)
    undone = client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert undone.changed == (key,)
    assert undone.redo_title == reply.title
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    assert (row.caption, row.caption_by_person) == (machine.caption, False)
    assert "zed" not in [tag.tag for tag in row.tags]
    redone = client.ask(RedoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert redone.changed == (key,)
    assert client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.caption == "my own words"


def test_a_rejected_tag_goes_and_an_accepted_one_becomes_the_persons(
    client: AnyEngine,
) -> None:
    """Both without a word of the model's being lost: undo brings them back."""
    key = next(
        key
        for key in _keys(client)
        if len(client.ask(Describe(key=key), Description, timeout_s=WAIT_S).tags) >= 1
    )
    tags = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.tags
    tag = next(tag for tag in tags if not tag.by_person)
    _say(client, SetAnnotations(keys=(key,), remove_tags=(tag.tag,)))
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    assert tag.tag not in [other.tag for other in row.tags]
    _say(client, SetAnnotations(keys=(key,), add_tags=(tag.tag,)))
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    assert (tag.tag, True) in [(other.tag, other.by_person) for other in row.tags]
    for _ in range(2):
        client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.tags == tags


def test_many_media_are_one_command(client: AnyEngine) -> None:
    """One title, one undo; words that are so already are no command."""
    keys = _keys(client)[:3]
    reply = _say(client, SetAnnotations(keys=keys, add_tags=("together",)))
    assert set(reply.changed) == set(keys)
    assert "3 photos" in reply.title
    before = client.ask(GetUndoState(), AnnotationsReply, timeout_s=WAIT_S)
    again = _say(client, SetAnnotations(keys=keys, add_tags=("together",)))
    assert again.changed == ()
    assert again.undo_title == before.undo_title == reply.title
    assert set(client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S).changed) == set(
        keys
    )


def test_the_history_is_in_order_and_names_the_hand(client: AnyEngine) -> None:
    """Fields in words, ``person`` or a model, old and new for people."""
    key = _keys(client)[1]
    _say(client, SetAnnotations(keys=(key,), caption="first"))
    _say(client, SetAnnotations(keys=(key,), caption="second", add_tags=("x",)))
    edits = client.ask(GetHistory(key=key), History, timeout_s=WAIT_S).edits[-3:]
    assert [(edit.who, edit.field, edit.new) for edit in edits] == [
        ("person", "caption", "first"),
        ("person", "caption", "second"),
        ("person", "tags added", edits[-1].new),
    ]
    assert edits[1].old == "first"
    assert "x" in edits[-1].new
    assert all(edit.when for edit in edits)


def test_words_of_what_is_gone_get_a_sentence(client: AnyEngine) -> None:
    """Not a traceback."""
    with pytest.raises(UserError, match="no longer in the library"):
        _say(client, SetAnnotations(keys=("gone",), caption="x"))
    with pytest.raises(UserError, match="no longer in the library"):
        client.ask(GetHistory(key="gone"), History, timeout_s=WAIT_S)


def test_captions_are_made_by_a_job_with_progress_and_failures(client: AnyEngine) -> None:
    """It says what it did in numbers; what it could not do is listed by job."""
    keys = _keys(client)
    _say(client, SetAnnotations(keys=keys[:1], caption="stays mine"))
    started = client.ask(StartCaption(scope=Scope(keys=keys)), JobReply, timeout_s=WAIT_S)
    assert started.job.kind is JobKind.CAPTION
    steps: list[Progress] = []
    ended = client.ask(
        WatchJob(job_id=started.job.id), JobReply, on_progress=steps.append, timeout_s=WAIT_S
    )
    assert ended.job.state is JobState.DONE
    assert ended.job.message
    assert isinstance(ended.report, CaptionReport)
    assert client.ask(GetDetail(key=keys[0]), Detail, timeout_s=WAIT_S).row.caption == "stays mine"
    failures = client.ask(ListJobFailures(job_id=started.job.id), Failures, timeout_s=WAIT_S)
    assert failures.total == ended.job.failed == len(failures.failures)
    row = client.ask(GetDetail(key=keys[-1]), Detail, timeout_s=WAIT_S).row
    assert row.caption or failures.total


def test_captions_come_in_the_style_that_is_wanted_and_stay_so(client: AnyEngine) -> None:
    """A job or a question without a style leaves them; one with another makes them anew."""
    key = _keys(client)[-1]

    def captioned(style: CaptionStyle | None) -> str | None:
        body = StartCaption(scope=Scope(keys=(key,)), style=style)
        _end(client, client.ask(body, JobReply, timeout_s=WAIT_S))
        return client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.caption

    texts = {style: captioned(style) for style in CaptionStyle}
    assert len(set(texts.values())) == len(texts)
    assert captioned(None) == texts[CaptionStyle.ALT_TEXT]
    shown = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert shown.caption == texts[CaptionStyle.ALT_TEXT]
    assert captioned(CaptionStyle.SENTENCE) == texts[CaptionStyle.SENTENCE]
    known = client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.styles
    assert set(known) == set(CaptionStyle)


def test_a_write_is_planned_done_undone_and_redone(client: AnyEngine) -> None:
    """The plan says what the job then does; one undo takes all the files back."""
    keys = _keys(client)
    everything = Scope()
    _end(client, client.ask(StartCaption(scope=everything), JobReply, timeout_s=WAIT_S))
    _say(client, SetAnnotations(keys=keys[:2], caption="written by me"))
    plan = client.ask(PlanWrite(scope=everything), WritePlan, timeout_s=WAIT_S)
    assert len(plan.items) == plan.new + plan.changed + plan.unchanged + plan.skipped == len(keys)
    assert all(item.reason for item in plan.items if item.kind is WriteKind.SKIPPED)
    assert all(item.new for item in plan.items if item.kind is WriteKind.NEW)
    ended = _end(client, client.ask(StartWrite(scope=everything), JobReply, timeout_s=WAIT_S))
    assert ended.job.state is JobState.DONE
    assert isinstance(ended.report, WriteReport)
    assert ended.report.written == plan.new + plan.changed > 0
    assert (ended.report.unchanged, len(ended.report.skipped)) == (plan.unchanged, plan.skipped)
    after = client.ask(PlanWrite(scope=everything), WritePlan, timeout_s=WAIT_S)
    assert (after.new, after.changed) == (0, 0)
    undone = client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert undone.files == ended.report.written
    assert client.ask(PlanWrite(scope=everything), WritePlan, timeout_s=WAIT_S) == plan
    assert (
        client.ask(RedoAnnotations(), AnnotationsReply, timeout_s=WAIT_S).files
        == ended.report.written
    )
    assert client.ask(PlanWrite(scope=everything), WritePlan, timeout_s=WAIT_S) == after


def test_texts_beside_photos_are_taken_over_and_undone(client: AnyEngine) -> None:
    """Every medium is counted once; a second time nothing is left to take."""
    keys = _keys(client)
    rows = client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
    row = next(row for row in rows if not row.caption_by_person)
    photo = Path(row.path.to_str())
    if photo.exists():  # a small engine's made-up photos have texts beside them by themselves
        photo.with_suffix(".txt").write_text("a person's caption")

    def take() -> TakeOverReport:
        body = StartTakeOver(scope=Scope())
        ended = _end(client, client.ask(body, JobReply, timeout_s=WAIT_S))
        assert (ended.job.kind, ended.job.state) == (JobKind.TAKE_OVER, JobState.DONE)
        assert isinstance(ended.report, TakeOverReport)
        return ended.report

    first = take()
    assert first.taken + first.unchanged + first.without + len(first.skipped) == len(keys)
    second = take()
    assert (second.taken, second.unchanged) == (0, first.taken + first.unchanged)
    assert first.taken >= 1
    undone = client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert len(undone.changed) == first.taken
    assert take().taken == first.taken
    client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    photo.with_suffix(".txt").unlink(missing_ok=True)


def test_own_tags_take_the_place_of_the_shipped_ones(client: AnyEngine) -> None:
    """A job tags everything anew; none brings the shipped ones back."""
    shipped = client.ask(GetVocabulary(), VocabularyReply, timeout_s=WAIT_S)
    assert shipped.tags
    assert not shipped.is_own
    body = SetVocabulary(tags=("something red", "something green"))
    ended = _end(client, client.ask(body, JobReply, timeout_s=WAIT_S))
    assert (ended.job.kind, ended.job.state) == (JobKind.TAG, JobState.DONE)
    own = client.ask(GetVocabulary(), VocabularyReply, timeout_s=WAIT_S)
    assert (own.tags, own.is_own) == (("something red", "something green"), True)
    _end(client, client.ask(SetVocabulary(), JobReply, timeout_s=WAIT_S))
    assert client.ask(GetVocabulary(), VocabularyReply, timeout_s=WAIT_S) == shipped


def test_a_scope_without_media_gets_a_sentence(tmp_path: Path, client: AnyEngine) -> None:
    """A folder that the library does not know."""
    scope = Scope(folders=(WirePath.of(tmp_path / "nowhere"),))
    with pytest.raises(UserError, match="nowhere"):
        client.ask(StartWrite(scope=scope), JobReply, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="nowhere"):
        client.ask(StartCaption(scope=scope), JobReply, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="nowhere"):
        client.ask(StartTakeOver(scope=scope), JobReply, timeout_s=WAIT_S)


def test_new_captions_are_as_long_as_wanted_and_old_ones_stay(client: AnyEngine) -> None:
    """Shorter and longer ones are different; without an order to make it again, nothing changes."""
    key = _keys(client)[-1]

    def captioned(style: CaptionStyle | None, length: CaptionLength) -> str | None:
        body = StartCaption(
            scope=Scope(keys=(key,)), style=style, writing=CaptionWriting(length=length, beams=2)
        )
        _end(client, client.ask(body, JobReply, timeout_s=WAIT_S))
        return client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.caption

    captioned(CaptionStyle.SHORT, CaptionLength.USUAL)
    longer = captioned(CaptionStyle.SENTENCE, CaptionLength.LONGER)
    assert captioned(None, CaptionLength.SHORTER) == longer
    captioned(CaptionStyle.SHORT, CaptionLength.USUAL)
    assert captioned(CaptionStyle.SENTENCE, CaptionLength.SHORTER) != longer


def test_new_captions_begin_with_the_words_that_are_asked_for(client: AnyEngine) -> None:
    """An empty prompt is none."""
    key = _keys(client)[-1]

    def captioned(style: CaptionStyle, prompt: str) -> str:
        writing = CaptionWriting(prompt=prompt, temperature=0.5, top_k=20, seed=3)
        body = StartCaption(scope=Scope(keys=(key,)), style=style, writing=writing)
        _end(client, client.ask(body, JobReply, timeout_s=WAIT_S))
        return client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.caption or ""

    captioned(CaptionStyle.SHORT, "")
    plain = captioned(CaptionStyle.SENTENCE, "")
    assert not plain.startswith("One of")
    captioned(CaptionStyle.SHORT, "")
    assert captioned(CaptionStyle.SENTENCE, "one  of").startswith("One of")
    captioned(CaptionStyle.SHORT, "")
    assert captioned(CaptionStyle.SENTENCE, " ") == plain
