"""``cocadesk model``: listed with the offers, fetched, used and removed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints import hub
from cocadesk.model.source import find_checkpoint
from cocadesk.protocol.messages import ControlJob, FetchModel, JobReply, Jobs, ListJobs
from cocadesk.protocol.values import JobAction, JobState
from tests.support.disks import mounted
from tests.support.engines import real_client
from tests.support.index_tools import write_photo
from tests.support.open_clip_reference import run_reference
from tests.support.program import document_of, invoked, started
from tests.support.released_model import write_released
from tests.support.served_hub import SAFE, SETTINGS, SmallHub, serving, until

REPOSITORY = "laion/CoCa-ViT-B-32-laion2B-s13B-b90k"
SOURCE = "open_clip:coca_ViT-B-32/laion2b_s13b_b90k"
SPOILED = "open_clip:coca_ViT-B-32/mscoco_finetuned_laion2b_s13b_b90k"
OFFERS = 4


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    """A hub that serves the second of the offered models, a tiny one with random weights."""
    with serving(tmp_path, monkeypatch, REPOSITORY) as small_hub:
        write_released(small_hub.served / SAFE)
        monkeypatch.setenv("HF_ENDPOINT", small_hub.address)
        yield small_hub


def test_the_list_names_what_may_be_fetched_without_a_library_or_a_network(
    served: SmallHub, tmp_path: Path
) -> None:
    """For people with what each is good for, for programs with all figures."""
    said = invoked("model", "list", "--library", tmp_path / "none").out
    assert "* starter" in said
    assert f"  {SOURCE}\n    Good: CoCa ViT-B-32, 1.0 GB" in said
    assert "finds a caption's photo first: 63.4%, among the first five 85.7%" in said
    offers = document_of(tmp_path / "none", "model", "list")["offers"]
    assert len(offers) == OFFERS
    assert [offer["search"] for offer in offers] == [True, True, True, False]
    assert offers[2]["recall"][0] == {
        "data": "Flickr30k test, 1,000 photos",
        "t2i_r1": 0.785,
        "t2i_r5": 0.945,
        "ours": False,
    }
    assert not (tmp_path / "none").exists()
    assert served.log == []


def test_a_model_is_fetched_used_and_removed(served: SmallHub, tmp_path: Path) -> None:
    """Through the library's engine; what is in use is not removed."""
    library = tmp_path / "library"
    with real_client(tmp_path):
        document = document_of(library, "model", "get", SOURCE)
        assert document["message"] == "CoCa ViT-B-32 is on this computer now."
        served.assert_whole()
        served.forget_log()
        said = invoked("model", "use", SPOILED, "--library", library)
        assert said.code == 2
        assert "can't search" in said.err
        assert document_of(library, "model", "use", SOURCE)["source"] == SOURCE
        refused = document_of(library, "model", "remove", SOURCE, code=2)["error"]
        assert "in use" in refused["why"]
        document_of(library, "model", "use", "starter")
        freed = document_of(library, "model", "remove", SOURCE)["freed_bytes"]
        assert freed > (served.served / SAFE).stat().st_size
    assert not served.folder.exists()
    assert served.log == []


def test_a_model_is_fetched_and_removed_without_a_library_and_none_is_made(
    served: SmallHub, tmp_path: Path
) -> None:
    """Whoever looks around first has neither a library nor an engine afterwards."""
    none = tmp_path / "none"
    document = document_of(none, "model", "get", SOURCE)
    assert document["message"] == "CoCa ViT-B-32 is on this computer now."
    served.assert_whole()
    assert "already" in document_of(none, "model", "get", SOURCE)["message"]
    listed = document_of(none, "model", "list")["models"]
    assert SOURCE in [model["source"] for model in listed]
    assert document_of(none, "model", "remove", SOURCE)["freed_bytes"] > 0
    assert not served.folder.exists()
    assert not none.exists()
    assert not list((cache_folder() / "run").glob("*.json"))


def test_ctrl_c_stops_a_fetching_and_the_next_one_goes_on(served: SmallHub, tmp_path: Path) -> None:
    """No traceback, and no byte comes twice."""
    size = (served.served / SAFE).stat().st_size
    served.fault(bytes_per_s=size / 20)
    with real_client(tmp_path):
        with started("model", "get", SOURCE, "--library", tmp_path / "library") as process:
            until(lambda: served.partial.exists() and served.partial.stat().st_size > size / 20)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 130
        assert b"Traceback" not in said
        until(lambda: not _grows(served.partial))
        had = served.partial.stat().st_size
        assert hub.snapshot_of(served.folder) is None
        served.fault()
        served.forget_log()
        assert invoked("model", "get", SOURCE, "--library", tmp_path / "library").code == 0
        assert f"GET /delivery/{SAFE} bytes={had}-" in served.log
    served.assert_whole()


def _grows(path: Path) -> bool:
    import time

    size = path.stat().st_size
    time.sleep(0.4)
    return path.stat().st_size != size


def test_a_model_that_is_not_here_is_fetched_by_use(served: SmallHub, tmp_path: Path) -> None:
    """One command, from the hub to the first search; another fetching that is paused stays so."""
    with real_client(tmp_path) as client:
        other = client.ask(FetchModel(source=SPOILED), JobReply).job
        client.ask(ControlJob(job_id=other.id, action=JobAction.PAUSE), JobReply)
        document = document_of(tmp_path / "library", "model", "use", SOURCE)
        states = {job.id: job.state for job in client.ask(ListJobs(), Jobs).jobs}
        said = invoked("info", "--library", tmp_path / "library").out
    assert document["source"] == SOURCE
    assert states[other.id] is JobState.PAUSED
    served.assert_whole()
    assert "caption model" in said
    assert all(line[line.find("  ") :].strip() for line in said.splitlines() if "  " in line)


def test_a_second_choice_ends_the_command_of_the_first(served: SmallHub, tmp_path: Path) -> None:
    """Which says that it was stopped; the second one answers."""
    library = tmp_path / "library"
    served.fault(bytes_per_s=(served.served / SAFE).stat().st_size / 60)
    with (
        real_client(tmp_path),
        started("model", "use", SOURCE, "--library", library) as process,
    ):
        until(lambda: served.partial.exists() and served.partial.stat().st_size > 0)
        document = document_of(library, "model", "use", "another")
        _, said = process.communicate(timeout=60)
    assert document["source"] == "another"
    assert (process.returncode, b"Stopped." in said) == (130, True)
    assert hub.snapshot_of(served.folder) is None


def test_one_model_searches_while_another_captions(tmp_path: Path) -> None:
    """``--for`` says what a model shall do; without it, all that it can."""
    library = tmp_path / "library"

    def used(*arguments: str) -> tuple[str, str]:
        document = document_of(library, "model", "use", *arguments)
        return document["source"], document["caption_source"]

    with real_client(tmp_path):
        assert used("writer", "--for", "captions") == ("starter", "writer")
        assert used("finder", "--for", "search") == ("finder", "writer")
        assert used("one", "--for", "both") == ("one", "one")
        assert used("writer", "--for", "captions") == ("one", "writer")
        assert used("other") == ("other", "other")
        wrong = invoked("model", "use", "one", "--for", "fun", "--library", library)
        said = " ".join(wrong.err.replace("│", "").split())
        assert (wrong.code, "'search', 'captions', 'both'" in said) == (2, True)


def test_a_model_is_exported_for_open_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a new folder, which the program itself reads again; no library is needed or made."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    weights = tmp_path / "released"
    run_reference(weights, "tiny", 1)
    none, out = tmp_path / "none", tmp_path / "out"
    document = document_of(none, "model", "export", weights, out)
    assert document["folder"] == str(out)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", SETTINGS, SAFE]
    assert find_checkpoint(f"local-dir:{out}").ids().model_id == document["model"]
    taken = document_of(none, "model", "export", weights, out, code=2)["error"]
    assert "there already" in taken["what"]
    starter = document_of(none, "model", "export", "starter", tmp_path / "more", code=2)["error"]
    assert "not built like open_clip's CoCa" in starter["why"]
    run = document_of(none, "model", "export", "run:none", tmp_path / "more", code=2)["error"]
    assert "no teaching run" in run["what"]
    assert not none.exists()
    assert not (tmp_path / "more").exists()


def test_a_model_that_is_named_for_one_command_is_fetched_for_it(
    served: SmallHub, tmp_path: Path
) -> None:
    """Without an engine; the next time nothing is asked for."""
    photo = write_photo(tmp_path / "photos" / "a.jpg", 1)
    command = ("caption", photo, "--model", SOURCE, "--library", tmp_path / "none")
    with started(*command) as process:
        said, error = process.communicate()
    assert process.returncode == 0, error
    assert b"a.jpg" in said
    served.assert_whole()


def test_a_disk_that_cannot_hold_a_model_is_told_before_anything_is_fetched(
    served: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the room that is lacking; nothing is asked of the hub, and no library is made."""
    with mounted(tmp_path / "disk", "4m") as disk:
        monkeypatch.setenv("HF_HUB_CACHE", str(disk))
        refused = document_of(tmp_path / "none", "model", "get", SOURCE, code=2)["error"]
        assert list(disk.iterdir()) == []
    assert "no room for CoCa ViT-B-32" in refused["what"]
    assert f"4 MB are free in {disk}" in refused["why"]
    assert "Make room for 1.0 GB more" in refused["what_to_do"]
    assert served.log == []
    assert not (tmp_path / "none").exists()


def test_a_mistyped_folder_or_name_is_a_sentence(served: SmallHub, tmp_path: Path) -> None:
    """Nothing is fetched instead."""
    with real_client(tmp_path):
        library = ("--library", tmp_path / "library")
        gone = invoked("model", "get", SOURCE, "--from", tmp_path / "gone", *library)
        assert (gone.code, "There is no folder" in gone.err) == (2, True)
        empty = invoked("model", "get", SOURCE, "--from", tmp_path, *library)
        assert (empty.code, "does not hold" in empty.err) == (2, True)
        wrong = invoked("model", "get", "b-32", *library)
        assert (wrong.code, "names no model" in wrong.err) == (2, True)
    assert served.log == []
