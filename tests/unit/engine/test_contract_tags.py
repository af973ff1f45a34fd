"""Tags as a whole: what every engine must do, the fake one and the real one."""

from __future__ import annotations

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsReply,
    Detail,
    GetDetail,
    JobReply,
    Keys,
    ListNewest,
    ListSavedSearches,
    ListTags,
    RedoAnnotations,
    RemoveTag,
    RenameTag,
    RequestBody,
    SavedSearches,
    SaveSearch,
    SetAnnotations,
    StartCaption,
    Tags,
    TagUse,
    UndoAnnotations,
    WatchJob,
)
from cocadesk.protocol.values import Scope

WAIT_S = 60.0
ODD = ("a/b/c", 'say "x", y', "🐕 dog", "Straße, nass", "-tag:dog")


def _ask(client: AnyEngine, body: RequestBody) -> AnnotationsReply:
    return client.ask(body, AnnotationsReply, timeout_s=WAIT_S)


def _keys(client: AnyEngine, filter_text: str = "") -> tuple[str, ...]:
    return client.ask(ListNewest(filter=filter_text), Keys, timeout_s=WAIT_S).keys


def _uses(client: AnyEngine, *, with_offered: bool = False) -> dict[str, TagUse]:
    answer = client.ask(ListTags(with_offered=with_offered), Tags, timeout_s=WAIT_S)
    assert len({use.tag.casefold() for use in answer.tags}) == len(answer.tags)
    return {use.tag: use for use in answer.tags}


def _searches(client: AnyEngine) -> dict[str, str]:
    found = client.ask(ListSavedSearches(), SavedSearches, timeout_s=WAIT_S).searches
    return {search.name: search.query for search in found}


def _own_tags(client: AnyEngine, key: str) -> list[str]:
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    return [tag.tag for tag in row.tags if tag.by_person]


def _suggested(client: AnyEngine, key: str) -> list[str]:
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    return [tag.tag for tag in row.tags if not tag.by_person]


pytestmark = pytest.mark.usefixtures("described", "taken_back")


@pytest.fixture
def described(client: AnyEngine) -> None:
    """All media are described."""
    started = client.ask(StartCaption(scope=Scope()), JobReply, timeout_s=WAIT_S)
    client.ask(WatchJob(job_id=started.job.id), JobReply, timeout_s=WAIT_S)


def test_each_tag_is_counted_as_its_filter_counts(client: AnyEngine) -> None:
    """Those that a person gave most often come first; hidden media count only for changes."""
    keys = _keys(client)
    _ask(client, SetAnnotations(keys=keys[:3], add_tags=("zed",)))
    _ask(client, SetAnnotations(keys=keys[3:4], add_tags=ODD))
    _ask(client, SetAnnotations(keys=keys[:1], hidden=True))
    uses = _uses(client)
    assert next(iter(uses)) == "zed"
    assert (uses["zed"].own, uses["zed"].all_own, uses["zed"].suggested) == (2, 3, 0)
    assert set(ODD) <= set(uses)
    for use in uses.values():
        assert len(_keys(client, use.term)) == use.own + use.suggested, use
        assert use.all_own >= use.own
        assert use.all_suggested >= use.suggested
    assert any(use.suggested for use in uses.values())


def test_tags_to_choose_from_are_listed_where_that_is_asked_for(client: AnyEngine) -> None:
    """Each once, those that no medium has at the end of all."""
    has_any, offered = _uses(client), _uses(client, with_offered=True)
    assert set(has_any) < set(offered)
    more = set(offered) - set(has_any)
    assert all(offered[tag].is_offered for tag in more)
    assert all(not offered[tag].all_own + offered[tag].all_suggested for tag in more)


def test_a_rename_changes_every_medium_and_one_undo_takes_it_back(client: AnyEngine) -> None:
    """Hidden media as well; a tag stays at its place among the others."""
    keys = _keys(client)
    _ask(client, SetAnnotations(keys=keys[:3], add_tags=("zed", "other")))
    _ask(client, SetAnnotations(keys=keys[:1], hidden=True))
    done = _ask(client, RenameTag(tag="ZED", name=" red  barn "))
    assert (done.count, done.changed) == (3, ())
    assert "red barn" in done.title
    assert done.undo_title == done.title
    assert [_own_tags(client, key) for key in keys[:3]] == [["red barn", "other"]] * 3
    uses = _uses(client)
    assert (uses["red barn"].own, uses["red barn"].all_own) == (2, 3)
    assert "zed" not in uses
    assert _ask(client, UndoAnnotations()).count == 3
    assert [_own_tags(client, key) for key in keys[:3]] == [["zed", "other"]] * 3
    assert _ask(client, RedoAnnotations()).count == 3
    assert _own_tags(client, keys[2]) == ["red barn", "other"]


def test_saved_searches_ask_for_a_tag_by_its_new_name(client: AnyEngine) -> None:
    """In the same command, which one undo takes back; a tag that is removed stays in them."""
    key = _keys(client)[0]
    _ask(client, SetAnnotations(keys=(key,), add_tags=("old barn", "zed")))
    query = 'farm -tag:"Old Barn" tag:zed barn'
    _ask(client, SaveSearch(name="Farms", query=query))
    _ask(client, RenameTag(tag="old barn", name='a "red" barn'))
    assert _searches(client) == {"Farms": 'farm -tag:"a ""red"" barn" tag:zed barn'}
    _ask(client, RemoveTag(tag="zed"))
    assert "tag:zed" in _searches(client)["Farms"]
    _ask(client, UndoAnnotations())
    _ask(client, UndoAnnotations())
    assert _searches(client) == {"Farms": query}
    assert _own_tags(client, key) == ["old barn", "zed"]


def test_a_name_that_there_is_makes_two_tags_one(client: AnyEngine) -> None:
    """A medium that had both has it once; what has only the other is not changed."""
    keys = _keys(client)
    _ask(client, SetAnnotations(keys=keys[:2], add_tags=("hound",)))
    _ask(client, SetAnnotations(keys=keys[1:3], add_tags=("zed",)))
    assert _ask(client, RenameTag(tag="hound", name="zed")).count == 2
    assert [_own_tags(client, key) for key in keys[:3]] == [["zed"]] * 3
    _ask(client, UndoAnnotations())
    assert [_own_tags(client, key) for key in keys[:3]] == [["hound"], ["hound", "zed"], ["zed"]]


def test_another_case_is_another_spelling_of_one_tag(client: AnyEngine) -> None:
    """The list shows the spelling that most media have; a rename makes it one everywhere."""
    keys = _keys(client)
    _ask(client, SetAnnotations(keys=keys[:2], add_tags=("Zed",)))
    _ask(client, SetAnnotations(keys=keys[2:3], add_tags=("zed",)))
    assert _uses(client)["Zed"].own == 3
    assert _ask(client, RenameTag(tag="Zed", name="zed")).count == 2
    assert [_own_tags(client, key) for key in keys[:3]] == [["zed"]] * 3
    assert _ask(client, RenameTag(tag="zed", name="zed")).count == 0


def test_suggestions_stay_unless_they_are_meant_too(client: AnyEngine) -> None:
    """Without, only a person's tags change; with, they are accepted under the new name."""
    tag = next(tag for tag, use in _uses(client).items() if use.all_suggested > 1)
    had = _uses(client)[tag]
    first, *others = (key for key in _keys(client) if tag in _suggested(client, key))
    with pytest.raises(UserError, match="only suggested"):
        _ask(client, RenameTag(tag=tag, name="zed"))
    _ask(client, SetAnnotations(keys=(first,), add_tags=(tag,)))
    assert _ask(client, RenameTag(tag=tag, name="zed")).count == 1
    assert _own_tags(client, first) == ["zed"]
    assert tag not in _suggested(client, first)
    assert all(tag in _suggested(client, key) for key in others)
    done = _ask(client, RenameTag(tag=tag, name="zed", with_suggested=True))
    assert done.count == had.all_suggested - 1
    assert all(_own_tags(client, key) == ["zed"] for key in (first, *others))
    assert tag not in _uses(client)


def test_a_tag_is_removed_everywhere_and_does_not_come_back(client: AnyEngine) -> None:
    """Not as a suggestion either, where a person had it; the others stay until they are meant."""
    tag = next(tag for tag, use in _uses(client).items() if use.all_suggested > 1)
    first, other, *_ = (key for key in _keys(client) if tag in _suggested(client, key))
    _ask(client, SetAnnotations(keys=(first,), add_tags=(tag, "zed")))
    assert _ask(client, RemoveTag(tag=tag)).count == 1
    assert _own_tags(client, first) == ["zed"]
    assert tag not in _suggested(client, first)
    assert tag in _suggested(client, other)
    assert _ask(client, RemoveTag(tag=tag, with_suggested=True)).count
    assert tag not in _uses(client)
    assert tag in _uses(client, with_offered=True)


def test_odd_names_are_renamed_and_refused_ones_get_a_sentence(client: AnyEngine) -> None:
    """Slashes, quotes, commas and emoji are letters; nothing and far too much are none."""
    key = _keys(client)[0]
    _ask(client, SetAnnotations(keys=(key,), add_tags=ODD))
    for number, tag in enumerate(ODD):
        assert _ask(client, RenameTag(tag=tag, name=f'"{number}" / 🐈')).count == 1
    assert _own_tags(client, key) == [f'"{number}" / 🐈' for number in range(len(ODD))]
    for name, sentence in ((" \n", "at least one letter"), ("x" * 201, "too long")):
        with pytest.raises(UserError, match=sentence):
            _ask(client, RenameTag(tag='"1" / 🐈', name=name))
    with pytest.raises(UserError, match="No photo or video has the tag “nowhere”"):
        _ask(client, RenameTag(tag="nowhere", name="x"))
    with pytest.raises(UserError, match="No photo or video has the tag “nowhere”"):
        _ask(client, RemoveTag(tag="nowhere"))
