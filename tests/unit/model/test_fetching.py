"""Checkpoints fetched from a hub on this machine that breaks off, lies, refuses and is slow."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from cocadesk.errors import UserError
from cocadesk.model.checkpoints import cache_files, hub, hub_waits
from cocadesk.model.checkpoints.cache_files import check_room, copy_from
from tests.support.architecture import ROOT
from tests.support.disks import full, mounted, read_only
from tests.support.served_hub import (
    REPOSITORY,
    SAFE,
    SETTINGS,
    SIZE,
    SOURCE,
    Outcome,
    SmallHub,
    serving,
    until,
)
from tests.support.small_hub import COMMIT, HASHES


@pytest.fixture
def small_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    """A hub with one repository, and empty caches."""
    with serving(tmp_path, monkeypatch) as served:
        yield served


def test_a_model_comes_into_the_hubs_own_cache_with_its_progress_told(small_hub: SmallHub) -> None:
    """Only weights and settings; bytes never go back, and end with all of them."""
    small_hub.fault(bytes_per_s=3_000_000)
    outcome = small_hub.fetch()
    assert outcome.code == 0
    small_hub.assert_whole()
    done = [done for done, _ in outcome.progress]
    total = SIZE + (small_hub.served / SETTINGS).stat().st_size
    assert {all_ for _, all_ in outcome.progress} == {total}
    assert done == sorted(done)
    assert done[-1] == total
    assert len(set(done)) > 3
    assert not any("README" in line for line in small_hub.log)


def test_what_is_in_the_cache_is_not_asked_for(small_hub: SmallHub) -> None:
    """The second time not even the hub is asked whether there is anything new."""
    assert small_hub.fetch().code == 0
    small_hub.forget_log()
    assert small_hub.fetch().code == 0
    assert small_hub.log == []


def test_huggingfaces_own_library_finds_what_was_fetched(small_hub: SmallHub) -> None:
    """Other programs share it: by branch and file, without a network."""
    assert small_hub.fetch().code == 0
    small_hub.forget_log()
    code = (
        "from huggingface_hub import hf_hub_download\n"
        f"print(hf_hub_download('org/coca', '{SAFE}', local_files_only=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert Path(done.stdout.strip()).read_bytes() == (small_hub.served / SAFE).read_bytes()
    assert small_hub.log == []


def test_a_line_that_breaks_again_and_again_goes_on_where_it_was(small_hub: SmallHub) -> None:
    """As long as something comes each time, it ends well, and no byte comes twice."""
    small_hub.fault(break_after=400_000)
    assert small_hub.fetch().code == 0
    small_hub.assert_whole()
    starts = [line.partition("bytes=")[2] for line in small_hub.log if "/delivery/" in line]
    places = [int(start.rstrip("-") or 0) for start in starts]
    assert len(places) >= SIZE // 400_000
    assert places == sorted(set(places))


def test_a_line_that_gives_nothing_any_more_ends_in_a_sentence_and_keeps_what_came(
    small_hub: SmallHub,
) -> None:
    """The next fetching asks for the rest alone."""
    small_hub.fault(bytes_per_s=2_000_000)
    with small_hub.start(pace="paced") as process:
        until(lambda: small_hub.partial.exists() and small_hub.partial.stat().st_size > 500_000)
        process.kill()
    had = small_hub.partial.stat().st_size
    small_hub.fault(file_status=503)
    outcome = small_hub.fetch()
    assert "a fault of its own (503)" in outcome.sentence
    assert "have come and are kept" in outcome.sentence
    assert small_hub.partial.stat().st_size == had
    assert hub.snapshot_of(small_hub.folder) is None
    small_hub.fault()
    small_hub.forget_log()
    outcome = small_hub.fetch()
    assert outcome.code == 0
    assert outcome.progress[0][0] >= had
    assert f"GET /delivery/{SAFE} bytes={had}-" in small_hub.log
    small_hub.assert_whole()


def test_a_hub_that_ignores_ranges_sends_all_of_it_again(small_hub: SmallHub) -> None:
    """The file is not one with the start twice."""
    small_hub.partial.parent.mkdir(parents=True)
    small_hub.partial.write_bytes((small_hub.served / SAFE).read_bytes()[:1_000_000])
    small_hub.fault(no_ranges=True)
    assert small_hub.fetch().code == 0
    small_hub.assert_whole()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_fetching_that_is_killed_leaves_nothing_that_looks_whole(
    small_hub: SmallHub, number: int
) -> None:
    """At any instant; the next one goes on."""
    small_hub.fault(bytes_per_s=3_000_000)
    with small_hub.start(pace="paced") as process:
        until(lambda: small_hub.partial.exists() and small_hub.partial.stat().st_size > 100_000)
        process.send_signal(number)
    assert hub.snapshot_of(small_hub.folder) is None
    assert 0 < hub.fetched_bytes(REPOSITORY) < SIZE
    small_hub.fault()
    assert small_hub.fetch().code == 0
    small_hub.assert_whole()


def test_a_fetching_ends_with_whoever_started_it(small_hub: SmallHub) -> None:
    """Its input breaks where the engine is killed."""
    small_hub.fault(bytes_per_s=100_000)
    process = small_hub.start(pace="paced")
    assert process.stdin is not None
    until(lambda: small_hub.partial.exists() and small_hub.partial.stat().st_size > 0)
    process.stdin.close()
    assert process.wait(20) == 1
    assert process.stdout is not None
    process.stdout.close()


def test_two_that_fetch_one_model_do_not_fetch_it_twice(small_hub: SmallHub) -> None:
    """Of two libraries' engines, the second waits and tells how far the first is."""
    small_hub.fault(bytes_per_s=3_000_000)
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(small_hub.fetch())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.code for outcome in outcomes] == [0, 0]
    small_hub.assert_whole()
    assert len([line for line in small_hub.log if f"GET /delivery/{SAFE}" in line]) == 1


def test_a_file_that_is_not_what_the_hub_lists_is_removed_and_said(small_hub: SmallHub) -> None:
    """Its hash decides; the next fetching begins anew."""
    (small_hub.served / HASHES).write_text(json.dumps({SAFE: "0" * 64}))
    outcome = small_hub.fetch()
    assert "not what its maker published" in outcome.sentence
    assert "It was removed" in outcome.sentence
    assert hub.snapshot_of(small_hub.folder) is None
    assert hub.fetched_bytes(REPOSITORY) < 1000
    (small_hub.served / HASHES).unlink()
    assert small_hub.fetch().code == 0
    small_hub.assert_whole()


def test_settings_with_another_hash_of_git_are_refused(small_hub: SmallHub) -> None:
    """Small files are checked as well."""
    (small_hub.served / HASHES).write_text(json.dumps({SETTINGS: "0" * 40}))
    assert "not what its maker published" in small_hub.fetch().sentence
    assert hub.snapshot_of(small_hub.folder) is None


def test_each_refusal_of_the_hub_has_its_own_sentence(small_hub: SmallHub) -> None:
    """What it is, and what to do; nothing half is left that looks whole."""
    unknown, closed = "no public model org/coca", "lets only chosen people fetch org/coca"
    cases: list[tuple[dict[str, object], str]] = [
        ({"status": 401}, unknown),
        ({"status": 404, "code": "RepoNotFound"}, unknown),
        ({"file_status": 404, "code": "EntryNotFound"}, unknown),
        ({"status": 404, "code": "RevisionNotFound"}, "org/coca has no version main"),
        ({"status": 403, "code": "GatedRepo"}, closed),
        ({"status": 403}, closed),
        ({"file_status": 403, "code": "GatedRepo"}, closed),
        ({"file_status": 401, "code": "GatedRepo"}, closed),
        ({"status": 429}, "asked too often"),
        ({"status": 500}, "a fault of its own (500)"),
        ({"file_status": 503}, "a fault of its own (503)"),
        ({"status": 429, "times": 2}, "fetched"),
    ]
    faults = [fault for fault, _ in cases]
    for said, (fault, expected) in zip(small_hub.refusals(faults), cases, strict=True):
        assert expected in said, fault
        assert said == "fetched" or len(said.splitlines()) == 3


def test_a_hub_that_asks_to_wait_is_left_alone_so_long(small_hub: SmallHub) -> None:
    """By its description and by its files; each second it is told how long still."""
    small_hub.fault(status=503, times=1, headers={"Retry-After": "3"})
    outcome = small_hub.fetch()
    assert (outcome.code, outcome.waits_s) == (0, [3.0, 2.0, 1.0])
    shutil.rmtree(small_hub.folder)
    small_hub.fault(file_status=429, times=2, headers={"RateLimit": '"resolvers";r=0;t=2'})
    outcome = small_hub.fetch()
    assert (outcome.code, outcome.waits_s) == (0, [2.0, 1.0])
    small_hub.assert_whole()


def test_a_hub_that_asks_for_a_long_wait_is_asked_again_by_a_person(small_hub: SmallHub) -> None:
    """Nothing hangs for an hour."""
    small_hub.fault(status=429, headers={"Retry-After": "3600"})
    outcome = small_hub.fetch()
    assert outcome.waits_s == []
    assert "wants to be asked again in 60 minutes" in outcome.sentence
    assert len(small_hub.log) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({"RateLimit": '"api";r=12;t=55'}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_off_the_refusal(headers: dict[str, str], seconds: float | None) -> None:
    """Of a time in the future so much as is left until then; of none, nothing."""
    error = OSError()
    error.response = SimpleNamespace(headers=headers)  # type: ignore[attr-defined]
    assert hub_waits.asked_wait_s(error) == seconds
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90))
    error.response.headers = {"Retry-After": later}  # type: ignore[attr-defined]
    assert hub_waits.asked_wait_s(error) == pytest.approx(90, abs=5)


def test_a_token_that_the_hub_does_not_know_is_named(small_hub: SmallHub) -> None:
    """Not the model is at fault."""
    assert "does not know the token" in small_hub.refusals([{"status": 401}], HF_TOKEN="hf_no")[0]


def test_without_a_network_one_sentence_comes_at_once(small_hub: SmallHub) -> None:
    """Nobody answers at that address: it is not tried again, which would take 14 s."""
    code = (
        "import time\n"
        "def fail(_seconds): raise AssertionError('it waits')\n"
        "time.sleep = fail\n"
        "from cocadesk.model.checkpoints.fetching import find_snapshot\n"
        "from cocadesk.errors import UserError\n"
        "try:\n"
        "    find_snapshot('hf-hub:org/coca', fetch=True)\n"
        "except UserError as error:\n"
        "    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Fetching it failed: " in done.stdout
    assert "Connect to the network" in done.stdout
    assert small_hub.log == []


def test_offline_no_socket_opens(small_hub: SmallHub) -> None:
    """Not even for a look whether the hub is there."""
    code = (
        "import sys\n"
        "def hook(event, arguments):\n"
        "    if event.startswith('socket.') and event != 'socket.__new__':\n"
        "        sys.stderr.write(f'socket {event}')\n"
        "        sys.stderr.flush()\n"
        "        import os; os._exit(99)\n"
        "sys.addaudithook(hook)\n"
        "from cocadesk.model.checkpoints.fetch_process import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    for arguments, expected in (([SOURCE], 2), ([SOURCE, str(small_hub.cache)], 2)):
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            env={**os.environ, "HF_ENDPOINT": small_hub.address, "HF_HUB_OFFLINE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            said = process.stdout.read()
        assert process.returncode == expected, said
        assert ("HF_HUB_OFFLINE is set" in said) is (len(arguments) == 1)
    assert small_hub.log == []


def test_a_disk_without_room_is_told_before_anything_comes(
    small_hub: SmallHub, tmp_path: Path
) -> None:
    """With what is missing; the converted copy counts too."""
    with mounted(tmp_path / "disk", size="4m") as disk:
        outcome = small_hub.fetch(
            HF_HUB_CACHE=str(disk / "hub"), COCADESK_CACHE=str(disk / "cache")
        )
        assert "The disk has no room for hf-hub:org/coca" in outcome.sentence
        assert "It takes 6 MB there" in outcome.sentence
        assert "Make room for 2 MB more" in outcome.sentence
        assert not list(disk.rglob("*.incomplete"))
    assert not any("delivery" in line for line in small_hub.log)


def test_a_disk_that_fills_up_meanwhile_is_told_and_what_came_is_kept(
    small_hub: SmallHub, tmp_path: Path
) -> None:
    """Once there is room, it goes on."""
    small_hub.fault(bytes_per_s=1_000_000)
    with mounted(tmp_path / "disk", size="8m") as disk:
        small_hub.cache = disk / "hub"
        outcomes: list[Outcome] = []
        thread = threading.Thread(
            target=lambda: outcomes.append(small_hub.fetch(HF_HUB_CACHE=str(small_hub.cache)))
        )
        thread.start()
        until(lambda: small_hub.partial.exists() and small_hub.partial.stat().st_size > 200_000)
        with full(disk):
            thread.join()
        assert "The disk is full" in outcomes[0].sentence
        assert "cocadesk model remove hf-hub:org/coca" in outcomes[0].sentence
        had = small_hub.partial.stat().st_size
        assert had > 200_000
        small_hub.fault()
        small_hub.forget_log()
        assert small_hub.fetch(HF_HUB_CACHE=str(small_hub.cache)).code == 0
        assert f"GET /delivery/{SAFE} bytes={had}-" in small_hub.log
        small_hub.assert_whole()


def test_a_cache_that_is_closed_is_named(small_hub: SmallHub, tmp_path: Path) -> None:
    """With the variable that names another one."""
    with mounted(tmp_path / "disk") as disk, read_only(disk):
        outcome = small_hub.fetch(HF_HUB_CACHE=str(disk / "hub"))
    assert f"{disk / 'hub'} can't be written to" in outcome.sentence
    assert "HF_HUB_CACHE" in outcome.sentence


def test_room_is_counted_for_each_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two caches on two disks need room on each of them."""
    with mounted(tmp_path / "hubs", size="4m") as hubs, mounted(tmp_path / "ours", "4m") as ours:
        monkeypatch.setenv("HF_HUB_CACHE", str(hubs / "hub"))
        monkeypatch.setenv("COCADESK_CACHE", str(ours / "cache"))
        check_room(SOURCE, 3_000_000, 3_000_000)
        with pytest.raises(UserError, match=f"free in {ours}"):
            check_room(SOURCE, 3_000_000, 5_000_000)
        with pytest.raises(UserError, match=f"free in {hubs}"):
            check_room(SOURCE, 5_000_000, 3_000_000)


def test_a_copy_of_the_cache_on_another_disk_is_taken_without_the_hub(
    small_hub: SmallHub, tmp_path: Path
) -> None:
    """The folder may be the cache, what it lies in, or the repository's own folder."""
    assert small_hub.fetch().code == 0
    small_hub.forget_log()
    for place, stick in (
        ("stick", "stick"),
        ("home/hub", "home"),
        ("one", f"one/{small_hub.folder.name}"),
    ):
        (tmp_path / place).mkdir(parents=True)
        subprocess.run(["cp", "-r", small_hub.folder, tmp_path / place], check=True)
        cache = tmp_path / f"cache of {place.replace('/', ' ')}"
        outcome = small_hub.fetch(SOURCE, str(tmp_path / stick), HF_HUB_CACHE=str(cache))
        assert outcome.code == 0
        assert outcome.progress[-1][0] == outcome.progress[-1][1] > SIZE
        small_hub.cache = cache
        small_hub.assert_whole()
        small_hub.cache = tmp_path / "hub"
    assert small_hub.log == []


def test_a_copy_without_links_is_taken_and_a_changed_one_refused(
    small_hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick that knows no links has the files themselves; one with links names their hashes."""
    assert small_hub.fetch().code == 0
    stick = tmp_path / "stick"
    subprocess.run(["cp", "-rL", small_hub.cache, stick], check=True)
    subprocess.run(["rm", "-r", stick / small_hub.folder.name / "blobs"], check=True)
    small_hub.cache = tmp_path / "second"
    monkeypatch.setenv("HF_HUB_CACHE", str(small_hub.cache))
    copy_from(SOURCE, stick, lambda _done, _all: None)
    snapshot = hub.snapshot_of(small_hub.folder)
    assert snapshot is not None
    assert (snapshot / SAFE).read_bytes() == (small_hub.served / SAFE).read_bytes()
    linked = tmp_path / "linked"
    subprocess.run(["cp", "-r", tmp_path / "hub", linked], check=True)
    blob = (linked / small_hub.folder.name / "snapshots" / COMMIT / SAFE).resolve()
    blob.write_bytes(b"changed" + blob.read_bytes()[7:])
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "third"))
    with pytest.raises(UserError, match="not what its maker published"):
        copy_from(SOURCE, linked, lambda _done, _all: None)
    assert hub.snapshot_of(REPOSITORY.folder) is None


def test_a_folder_without_the_model_is_a_sentence(small_hub: SmallHub, tmp_path: Path) -> None:
    """It says what would be looked for, and that a path alone may do."""
    outcome = small_hub.fetch(SOURCE, str(tmp_path))
    assert "does not hold hf-hub:org/coca" in outcome.sentence
    assert "cocadesk model use PATH" in outcome.sentence
    assert small_hub.log == []


def test_a_system_without_links_has_the_file_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the hub's own library does it on Windows: no second copy."""

    def refuse(_path: Path, _target: str) -> None:
        raise OSError("A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    blob, place = tmp_path / "blobs" / "a", tmp_path / "snapshots" / "b" / "a"
    blob.parent.mkdir()
    blob.write_bytes(b"weights")
    cache_files.link(blob, place)
    assert place.read_bytes() == b"weights"
    assert not blob.exists()
