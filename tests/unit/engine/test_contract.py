"""Duties of every engine, tested the same against the fake, the served and the local one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    ControlJob,
    DecideRun,
    Describe,
    DescribedFile,
    DescribedFiles,
    DescribeFiles,
    Description,
    Detail,
    Failures,
    GetDetail,
    GetInfo,
    GetKeys,
    GetPreview,
    GetRows,
    GetRun,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListFailures,
    ListJobs,
    ListModels,
    ListNewest,
    ListRoots,
    Models,
    Preview,
    Progress,
    ReplyBody,
    Roots,
    Rows,
    Run,
    Search,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import CaptionStyle, DescriptionKind, JobAction, JobState, ModelState
from tests.support.engines import EngineCase

WAIT_S = 60.0


def _newest(client: AnyEngine) -> tuple[str, ...]:
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys


def test_the_newest_are_listed_a_stretch_at_a_time(client: AnyEngine) -> None:
    """Stretches join to the whole list without gap or repetition."""
    whole = client.ask(ListNewest(), Keys, timeout_s=WAIT_S)
    assert whole.total == len(whole.keys) >= 4
    head = client.ask(ListNewest(limit=3), Keys, timeout_s=WAIT_S)
    tail = client.ask(ListNewest(offset=3), Keys, timeout_s=WAIT_S)
    assert head.keys + tail.keys == whole.keys
    assert (head.total, tail.offset) == (whole.total, 3)


def test_rows_come_in_the_order_of_their_keys_and_unknown_ones_are_left_out(
    client: AnyEngine,
) -> None:
    """The window asks for what it shows; a purged key is no error."""
    keys = _newest(client)
    asked = (keys[2], "no-such-key", keys[0])
    rows = client.ask(GetRows(keys=asked), Rows, timeout_s=WAIT_S).rows
    assert [row.key for row in rows] == [keys[2], keys[0]]
    for row in rows:
        assert all((row.name, row.folder, row.width, row.height))
        assert row.thumbnail is not None
        assert Path(row.thumbnail.to_str()).stat().st_size > 0


def test_a_search_answers_with_known_keys_best_first(client: AnyEngine, case: EngineCase) -> None:
    """Scores never rise along the list and the best fits the words."""
    hits = client.ask(Search(text=case.query, limit=3), Hits, timeout_s=WAIT_S).hits
    assert 1 <= len(hits) <= 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert {hit.key for hit in hits} <= set(_newest(client))
    best = client.ask(Describe(key=hits[0].key), Description, timeout_s=WAIT_S)
    assert case.word in (best.caption or "")


def test_similar_media_do_not_hold_the_medium_itself(client: AnyEngine) -> None:
    """'More like this' is about the others."""
    key = _newest(client)[0]
    hits = client.ask(Search(text="", like=(key,), limit=3), Hits, timeout_s=WAIT_S).hits
    assert key not in {hit.key for hit in hits}


def test_words_are_made_on_demand_and_kept(client: AnyEngine) -> None:
    """The first description fills the row; the next detail has it stored."""
    key = _newest(client)[0]
    words = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert words.caption
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    assert row.caption == words.caption
    assert [tag.tag for tag in row.tags] == [tag.tag for tag in words.tags]


def test_a_preview_is_a_file_of_the_right_shape(client: AnyEngine) -> None:
    """The large picture travels as a path and keeps the photo's proportions."""
    key = _newest(client)[0]
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    preview = client.ask(GetPreview(key=key), Preview, timeout_s=WAIT_S)
    assert Path(preview.path.to_str()).stat().st_size > 0
    assert preview.width / preview.height == pytest.approx(row.width / row.height, rel=0.02)


def test_a_full_preview_has_every_pixel(client: AnyEngine) -> None:
    """To look at single pixels; asked for twice, it is the same file."""
    key = _newest(client)[0]
    row = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    first = client.ask(GetPreview(key=key, is_full=True), Preview, timeout_s=WAIT_S)
    assert (first.width, first.height) == (row.width, row.height)
    with Image.open(first.path.to_str()) as picture:
        assert picture.size == (row.width, row.height)
    again = client.ask(GetPreview(key=key, is_full=True), Preview, timeout_s=WAIT_S)
    assert again.path == first.path
    assert client.ask(GetPreview(key=key), Preview, timeout_s=WAIT_S).path != first.path


@pytest.mark.parametrize("body", [GetDetail(key="gone"), Describe(key="gone")], ids=str)
def test_a_key_that_is_gone_gets_a_sentence(client: AnyEngine, body: GetDetail | Describe) -> None:
    """What people read, not a traceback."""
    with pytest.raises(UserError, match="no longer in the library"):
        client.ask(body, Detail, timeout_s=WAIT_S)


def test_files_of_the_library_are_found_by_their_paths(client: AnyEngine) -> None:
    """Keys come in the order of the paths; a stranger among them gets a sentence."""
    keys = _newest(client)[:3]
    rows = client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
    paths = tuple(row.path for row in rows)
    assert client.ask(GetKeys(paths=paths), Keys, timeout_s=WAIT_S).keys == keys
    back = client.ask(GetKeys(paths=paths[::-1]), Keys, timeout_s=WAIT_S).keys
    assert back == keys[::-1]
    with pytest.raises(UserError, match="is not in the library"):
        client.ask(GetKeys(paths=(*paths, WirePath("/nowhere.jpg"))), Keys, timeout_s=WAIT_S)


@pytest.mark.parametrize("kind", DescriptionKind)
def test_files_are_described_in_parts_and_those_that_are_not_there_are_named(
    client: AnyEngine, kind: DescriptionKind
) -> None:
    """Each part says which of the files it is; captions or tags, not both."""
    rows = client.ask(GetRows(keys=_newest(client)[:2]), Rows, timeout_s=WAIT_S).rows
    missing = WirePath("/nowhere.jpg")
    paths = (rows[0].path, missing, rows[1].path)
    parts: list[ReplyBody] = []
    end = client.ask(
        DescribeFiles(paths=paths, kind=kind, top=2),
        DescribedFiles,
        on_partial=parts.append,
        timeout_s=WAIT_S,
    )
    described = sorted((p for p in parts if isinstance(p, DescribedFile)), key=lambda p: p.place)
    assert [part.path for part in described] == [rows[0].path, rows[1].path]
    is_caption = kind is DescriptionKind.CAPTION
    assert all(bool(part.caption) is is_caption for part in described)
    assert all(len(part.tags) <= 2 for part in described)
    assert [failure.path for failure in end.failed] == [missing]
    assert end.unkept == ""


def test_files_are_captioned_in_the_style_that_is_wanted(client: AnyEngine) -> None:
    """Without one the caption stays as it was made."""
    path = client.ask(GetRows(keys=_newest(client)[-1:]), Rows, timeout_s=WAIT_S).rows[0].path

    def captioned(style: CaptionStyle | None) -> str:
        parts: list[ReplyBody] = []
        body = DescribeFiles(paths=(path,), kind=DescriptionKind.CAPTION, style=style)
        client.ask(body, DescribedFiles, on_partial=parts.append, timeout_s=WAIT_S)
        [part] = [part for part in parts if isinstance(part, DescribedFile)]
        return part.caption or ""

    texts = {style: captioned(style) for style in (CaptionStyle.SHORT, CaptionStyle.ALT_TEXT)}
    assert len(set(texts.values())) == 2
    assert captioned(None) == texts[CaptionStyle.ALT_TEXT]
    assert captioned(CaptionStyle.SENTENCE) not in texts.values()


def test_adding_a_folder_is_a_job_with_progress_and_failures(
    client: AnyEngine, case: EngineCase, tmp_path: Path
) -> None:
    """Progress streams, bad files are listed."""
    before = len(_newest(client))
    folder = case.new_folder(tmp_path)
    started = client.ask(StartIndex(folders=(WirePath.of(folder),)), JobReply, timeout_s=WAIT_S)
    steps: list[Progress] = []
    ended = client.ask(
        WatchJob(job_id=started.job.id), JobReply, on_progress=steps.append, timeout_s=WAIT_S
    )
    assert ended.job.state is JobState.DONE
    assert ended.job.message
    assert len(_newest(client)) > before
    failures = client.ask(ListFailures(), Failures, timeout_s=WAIT_S)
    own = [item for item in failures.failures if item.path.text.startswith(str(folder))]
    assert len(own) == ended.job.failed >= 1
    assert all(item.reason for item in own)
    roots = client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots
    assert WirePath.of(folder) in [root.path for root in roots]


def test_a_cancelled_job_ends_and_is_remembered(
    client: AnyEngine, case: EngineCase, tmp_path: Path
) -> None:
    """Cancelling is no failure, and the list of jobs keeps it."""
    folder = WirePath.of(case.new_folder(tmp_path))
    first = client.ask(StartIndex(folders=(folder,)), JobReply, timeout_s=WAIT_S).job
    paused = client.ask(
        ControlJob(job_id=first.id, action=JobAction.PAUSE), JobReply, timeout_s=WAIT_S
    ).job
    if paused.state is JobState.DONE:
        pytest.skip("the job was done before it could be paused")
    resumed = client.ask(
        ControlJob(job_id=first.id, action=JobAction.RESUME), JobReply, timeout_s=WAIT_S
    ).job
    assert resumed.state in (JobState.QUEUED, JobState.RUNNING, JobState.DONE)
    client.ask(ControlJob(job_id=first.id, action=JobAction.CANCEL), JobReply, timeout_s=WAIT_S)
    ended = client.ask(WatchJob(job_id=first.id), JobReply, timeout_s=WAIT_S).job
    assert ended.state in (JobState.CANCELLED, JobState.DONE)
    listed = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    assert first.id in [job.id for job in listed]


def test_one_of_the_models_answers(client: AnyEngine) -> None:
    """The list names each by a source of its own; the one in use is marked."""
    client.ask(Search(text="anything"), Hits, timeout_s=WAIT_S)
    models = client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    assert len({entry.source for entry in models}) == len(models) > 0
    assert len([entry for entry in models if entry.is_used]) == 1
    assert all(0 <= entry.coverage <= 1 for entry in models)


@pytest.mark.parametrize("body", [GetRun(run_id="x"), DecideRun(run_id="x", keep=True)], ids=str)
def test_a_run_that_is_not_there_gets_a_sentence(
    client: AnyEngine, body: GetRun | DecideRun
) -> None:
    """Another window may have discarded it."""
    with pytest.raises(UserError, match="run"):
        client.ask(body, Run, timeout_s=WAIT_S)


def test_the_model_says_where_it_runs_once_it_is_ready(client: AnyEngine) -> None:
    """After a search the model is there; name, device and reason are told."""
    client.ask(Search(text="anything"), Hits, timeout_s=WAIT_S)
    model = client.ask(GetInfo(), Info, timeout_s=WAIT_S).model
    assert model.state is ModelState.READY
    assert all((model.name, model.device, model.reason))


def test_a_library_of_the_model_in_use_awaits_no_update(client: AnyEngine) -> None:
    """Searches and the facts of the library say nothing of photos that are read again."""
    assert client.ask(Search(text="anything"), Hits, timeout_s=WAIT_S).update is None
    assert client.ask(GetInfo(waits=True), Info, timeout_s=WAIT_S).update is None
