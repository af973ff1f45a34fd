"""Suggestions: what every engine must do with a yes or a no, the fake one and the real one."""

from __future__ import annotations

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsReply,
    DecideSuggestions,
    Describe,
    Description,
    GetRows,
    JobReply,
    Keys,
    ListNewest,
    ListSuggestions,
    PlanWrite,
    Rows,
    SetAnnotations,
    StartCaption,
    Suggestions,
    UndoAnnotations,
    WatchJob,
    WritePlan,
)
from cocadesk.protocol.values import JobState, Row, Scope

WAIT_S = 60.0


@pytest.fixture
def keys(client: AnyEngine) -> tuple[str, ...]:
    """Three media with a suggested caption and tags each."""
    found = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[:3]
    for key in found:
        client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    return found


def _rows(client: AnyEngine, keys: tuple[str, ...]) -> tuple[Row, ...]:
    return client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows


def _decide(client: AnyEngine, body: DecideSuggestions) -> AnnotationsReply:
    return client.ask(body, AnnotationsReply, timeout_s=WAIT_S)


def _undo(client: AnyEngine) -> AnnotationsReply:
    return client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)


def _listed(client: AnyEngine, scope: Scope) -> Suggestions:
    return client.ask(ListSuggestions(scope=scope), Suggestions, timeout_s=WAIT_S)


def test_what_is_accepted_is_the_persons(client: AnyEngine, keys: tuple[str, ...]) -> None:
    """Captions and tags of all, as one command; a second time there is nothing left."""
    before = _rows(client, keys)
    assert all(row.caption and not row.caption_by_person for row in before)
    assert all(row.caption_score is not None for row in before)
    reply = _decide(client, DecideSuggestions(keys=keys, accepts=True))
    assert set(reply.changed) == set(keys)
    assert reply.title == reply.undo_title
    for row, old in zip(_rows(client, keys), before, strict=True):
        assert (row.caption, row.caption_by_person) == (old.caption, True)
        assert row.caption_score is None
        assert [tag.tag for tag in row.tags] == [tag.tag for tag in old.tags]
        assert all(tag.by_person for tag in row.tags)
    assert _decide(client, DecideSuggestions(keys=keys, accepts=False)).changed == ()
    assert set(_undo(client).changed) == set(keys)
    assert _rows(client, keys) == before


@pytest.mark.parametrize("is_caption", [True, False], ids=["caption", "tags"])
def test_what_is_rejected_does_not_come_back(
    client: AnyEngine, keys: tuple[str, ...], is_caption: bool
) -> None:
    """Neither when it is looked at nor by a job that captions all anew; undo brings it back."""
    before = _rows(client, keys)
    body = DecideSuggestions(keys=keys, accepts=False, captions=is_caption, tags=not is_caption)
    assert set(_decide(client, body).changed) == set(keys)
    for key in keys:
        client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    job = client.ask(StartCaption(scope=Scope(keys=keys), again=True), JobReply, timeout_s=WAIT_S)
    ended = client.ask(WatchJob(job_id=job.job.id), JobReply, timeout_s=WAIT_S)
    assert ended.job.state is JobState.DONE
    for row, old in zip(_rows(client, keys), before, strict=True):
        if is_caption:
            assert (row.caption, row.caption_by_person, row.tags) == ("", True, old.tags)
        else:
            own = tuple(tag for tag in old.tags if tag.by_person)
            assert (row.caption, row.caption_by_person, row.tags) == (old.caption, False, own)
    described = client.ask(Describe(key=keys[0]), Description, timeout_s=WAIT_S)
    assert (described.caption == "", described.caption_by_person) == (is_caption, is_caption)
    _undo(client)
    assert _rows(client, keys) == before


def test_undo_tells_what_was_rejected_from_what_was_accepted(
    client: AnyEngine, keys: tuple[str, ...]
) -> None:
    """Its title alone says which of them it takes back."""
    titles = []
    for accepts in (True, False):
        for is_caption in (True, False):
            body = DecideSuggestions(keys=keys, accepts=accepts, captions=is_caption)
            titles.append(_decide(client, body).undo_title)
            _undo(client)
    assert set(titles[:2]).isdisjoint(titles[2:])
    assert all("eject" in title for title in titles[2:])


def test_what_a_person_said_stays(client: AnyEngine, keys: tuple[str, ...]) -> None:
    """A caption and a tag of one's own are no suggestions, nor is a rejected caption."""
    client.ask(
        SetAnnotations(keys=keys[:1], caption="mine", add_tags=("own",)),
        AnnotationsReply,
        timeout_s=WAIT_S,
    )
    client.ask(SetAnnotations(keys=keys[1:2], no_caption=True), AnnotationsReply, timeout_s=WAIT_S)
    body = DecideSuggestions(keys=keys, accepts=False, tags=False)
    assert _decide(client, body).changed == keys[2:]
    body = DecideSuggestions(keys=keys[:1], accepts=False, captions=False)
    assert _decide(client, body).changed == keys[:1]
    first, second, third = _rows(client, keys)
    assert (first.caption, [tag.tag for tag in first.tags]) == ("mine", ["own"])
    assert (second.caption, third.caption) == ("", "")
    # An empty caption takes back what was said of it, as of any caption.
    client.ask(SetAnnotations(keys=keys[1:2], caption=""), AnnotationsReply, timeout_s=WAIT_S)
    assert _rows(client, keys)[1].caption
    for _ in range(5):
        _undo(client)


def test_a_rejected_caption_is_written_nowhere(client: AnyEngine, keys: tuple[str, ...]) -> None:
    """There is no text to be written beside the photo."""
    _decide(client, DecideSuggestions(keys=keys, accepts=False, tags=False))
    plan = client.ask(PlanWrite(scope=Scope(keys=keys)), WritePlan, timeout_s=WAIT_S)
    assert (plan.new, plan.changed, plan.skipped) == (0, 0, len(keys))
    _undo(client)


def test_the_least_sure_come_first(client: AnyEngine, keys: tuple[str, ...]) -> None:
    """Those of the scope alone; what was decided is none of them any more, but counted."""
    found = _listed(client, Scope(keys=keys))
    assert set(found.keys) == set(keys)
    assert (found.total, found.others) == (3, 0)
    scores = [row.caption_score or 0.0 for row in _rows(client, found.keys)]
    assert scores == sorted(scores)
    decided = found.keys[1:2]
    _decide(client, DecideSuggestions(keys=decided, accepts=True, tags=False))
    left = _listed(client, Scope(keys=keys))
    assert left.keys == (found.keys[0], found.keys[2])
    assert (left.total, left.others) == (2, 1)
    everywhere = _listed(client, Scope(filter="captioned:machine"))
    assert set(left.keys) <= set(everywhere.keys)
    assert (everywhere.total, everywhere.others) == (len(everywhere.keys), 0)
    _undo(client)


def test_a_caption_and_none_at_once_is_refused_in_a_sentence(
    client: AnyEngine, keys: tuple[str, ...]
) -> None:
    """Nothing is changed."""
    before = _rows(client, keys)
    body = SetAnnotations(keys=keys, caption="some", no_caption=True)
    with pytest.raises(UserError, match="a caption and none"):
        client.ask(body, AnnotationsReply, timeout_s=WAIT_S)
    assert _rows(client, keys) == before
