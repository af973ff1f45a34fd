"""The commands as a person runs them: real processes, real files, a real (tiny) network."""

from __future__ import annotations

import base64
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cocadesk.library.library import Library
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    Describe,
    Description,
    GetInfo,
    GetRows,
    Info,
    Keys,
    ListNewest,
    Rows,
)
from tests.support.engines import photos_and_a_broken_one, real_client
from tests.support.index_tools import photo_bytes, write_photo
from tests.support.program import ROOT, Outcome, cocadesk, environment, invoked, started
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.tiny_shards import COLOURS, jpeg, write_shard

HEAVY = ("torch", "lancedb", "pyarrow", "cv2", "openvino", "numpy", "PySide6", "PIL")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint with random weights."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six coloured photos, one of them with a name that is not UTF-8, and three bad files."""
    folder = tmp_path_factory.mktemp("photos")
    for number, (name, rgb) in enumerate(COLOURS.items()):
        (folder / f"{name}.jpg").write_bytes(jpeg(rgb, number))
    (folder / "red.jpg").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg"))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "broken.jpg").write_bytes(photo_bytes(1)[:300])
    (folder / "page.jpg").write_text("<html>not a photo</html>")
    return folder


@pytest.fixture(scope="session")
def library(
    tmp_path_factory: pytest.TempPathFactory, model: Path, photos: Path
) -> tuple[Path, Outcome]:
    """A library of those photos and what indexing them said."""
    folder = tmp_path_factory.mktemp("libraries") / "library"
    outcome = cocadesk("index", photos, "--library", folder, "--model", model, "--json")
    return folder, outcome


def test_help_loads_nothing_heavy() -> None:
    """``cocadesk --help`` answers without numpy, torch, LanceDB, OpenCV or Qt."""
    code = (
        "import sys\nfrom cocadesk.cli.main import main\n"
        "sys.argv = ['cocadesk', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.endswith("LOADED []\n")
    assert all(name in done.stdout for name in ("index", "search", "tag", "caption", "evaluate"))


def test_index_reports_what_was_read_and_what_failed(
    library: tuple[Path, Outcome], photos: Path
) -> None:
    """One document with integers, reasons and seconds; exit code 1 as some files failed."""
    outcome = library[1]
    document = outcome.document
    assert outcome.code == 1
    assert (document["indexed"], document["unchanged"]) == (6, 0)
    assert isinstance(document["seconds"], float)
    failed = {Path(item["path"]).name: item["reason"] for item in document["failed"]}
    assert failed.keys() == {"empty.jpg", "broken.jpg", "page.jpg"}
    assert all(reason.endswith(".") for reason in failed.values())


def test_a_second_index_reads_nothing(
    library: tuple[Path, Outcome], photos: Path, model: Path
) -> None:
    """All is known and unchanged; the bad files are still named."""
    again = invoked("index", photos, "--library", library[0], "--model", model, "--json")
    assert (again.document["indexed"], again.document["unchanged"]) == (0, 6)
    assert len(again.document["failed"]) == 3
    assert again.code == 1


def test_info_counts_what_is_there(library: tuple[Path, Outcome], model: Path) -> None:
    """Integers and strings as promised; options may stand before the command too."""
    outcome = invoked("--library", library[0], "--model", model, "info", "--json")
    document = outcome.document
    assert outcome.code == 0
    counts = {name: document[name] for name in ("media", "photos", "videos", "views")}
    assert counts == {"media": 6, "photos": 6, "videos": 0, "views": 6}
    assert (document["missing"], document["offline"], document["failed"]) == (0, 0, 3)
    assert document["model"].startswith("coca-tiny-")
    assert all(isinstance(document[name], str) for name in ("model", "schema", "device"))


def test_search_ranks_the_library(library: tuple[Path, Outcome], model: Path) -> None:
    """Results with path, score, caption and time, best first, as many as asked for."""
    common = ("--library", library[0], "--model", model)
    everything = cocadesk("search", "a red ball", *common, "--json")
    results = everything.document["results"]
    assert everything.code == 0
    assert len(results) == 6
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert all(result.keys() >= {"path", "score", "caption", "time"} for result in results)
    (odd,) = [result for result in results if "path_b64" in result]
    assert base64.b64decode(odd["path_b64"]).endswith(b"/caf\xe9.jpg")
    two = invoked("search", "a red ball", "--limit", "2", *common, "--json")
    assert two.document["results"] == results[:2]
    text = invoked("search", "a red ball", "--limit", "2", "--all", *common)
    shown = [line for line in text.out.splitlines() if ".jpg" in line]  # and a line on belief
    assert len(shown) == 2
    assert results[0]["path"] in shown[0]


def test_words_of_members_are_kept_in_the_library(
    library: tuple[Path, Outcome], photos: Path, model: Path, tmp_path: Path
) -> None:
    """Tags and captions are printed for any file; those of members are stored as well."""
    outside = write_photo(tmp_path / "outside.jpg", 5)
    member = photos / "blue.jpg"
    common = ("--library", library[0], "--model", model, "--json")
    tagged = invoked("tag", member, outside, *common)
    assert tagged.code == 0
    assert [item["path"] for item in tagged.document["results"]] == [str(member), str(outside)]
    tags = tagged.document["results"][0]["tags"]
    assert all(0 <= tag["score"] <= 1 and isinstance(tag["tag"], str) for tag in tags)
    captioned = invoked("caption", member, outside, *common)
    assert captioned.code == 0
    captions = [item["caption"] for item in captioned.document["results"]]
    with Library.open(library[0], create=False, writer=False) as opened:
        row = opened.media.row_by_path(os.fsencode(member))
        assert row is not None
        assert row.machine_caption == captions[0]
        assert [tag.tag for tag in row.machine_tags] == [tag["tag"] for tag in tags]
        assert opened.media.row_by_path(os.fsencode(outside)) is None
    found = invoked("search", "anything", *common).document["results"]
    assert captions[0] in [result["caption"] for result in found]


def test_tags_come_from_the_persons_own_list(photos: Path, model: Path, tmp_path: Path) -> None:
    """``--labels`` replaces the vocabulary; every photo gets at least the best one."""
    labels = tmp_path / "labels.txt"
    labels.write_bytes("\ufeff# mine\nred barn\nBlue sky\nred barn\n".encode())
    outcome = invoked(
        "tag", photos, "--labels", labels, "--model", model, "--json", "--library", tmp_path / "no"
    )
    results = outcome.document["results"]
    assert outcome.code == 1
    assert len(results) == 6
    assert len(outcome.document["failed"]) == 3
    assert all(item["tags"] for item in results)
    assert {tag["tag"] for item in results for tag in item["tags"]} <= {"red barn", "Blue sky"}
    assert not (tmp_path / "no").exists()


def test_a_users_mistake_is_a_sentence_and_code_2(tmp_path: Path) -> None:
    """No traceback, nothing on stdout, nothing made on disk."""
    outcome = cocadesk("search", "dog", "--library", tmp_path / "none")
    assert outcome.code == 2
    assert "There is no library in" in outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "none").exists()


def test_a_model_that_is_none_is_a_sentence(photos: Path, tmp_path: Path) -> None:
    """A foreign folder given as model: code 2, and with ``--json`` an error document."""
    outcome = invoked("caption", photos, "--model", tmp_path, "--json")
    assert outcome.code == 2
    assert outcome.document["error"]["what"]
    assert "Traceback" not in outcome.err


def test_ctrl_c_ends_an_index_and_the_next_one_goes_on(tmp_path: Path, model: Path) -> None:
    """Code 130 and a sentence; then the rest is read and nothing is doubled."""
    for number in range(600):
        write_photo(tmp_path / "photos" / f"{number}.jpg", number)
    arguments = ["--library", str(tmp_path / "library"), "--model", str(model), "--json"]
    terminal, child_side = pty.openpty()
    with started(
        "index",
        tmp_path / "photos",
        *arguments,
        env={**environment(), "TERM": "xterm"},
        stderr=child_side,
        start_new_session=True,
    ) as process:
        os.close(child_side)
        shown = b""
        while b"Reading photos" not in shown:
            shown += os.read(terminal, 4096)
        os.killpg(process.pid, signal.SIGINT)
        output = _drain(terminal)
        process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 130, output
    assert b"What is done is kept." in output
    assert b"Traceback" not in output
    again = invoked("index", tmp_path / "photos", *arguments)
    assert again.code == 0
    assert again.document["indexed"] + again.document["unchanged"] == 600
    info = invoked("info", *arguments).document
    assert (info["media"], info["views"]) == (600, 600)


def _drain(terminal: int) -> bytes:
    """All that a terminal still shows until its program has left."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            return shown
        if not piece:
            return shown
        shown += piece


def test_evaluation_prints_the_measures_by_name(model: Path, tmp_path: Path) -> None:
    """Retrieval, captions and zero-shot, each a document of numbers."""
    shard = write_shard(tmp_path / "shard.tar", count=12)
    common = ("--model", model, "--json")
    retrieval = invoked("evaluate", "retrieval", shard, *common)
    assert retrieval.code == 0
    names = {f"{way}_r{k}" for way in ("t2i", "i2t") for k in (1, 5, 10)}
    assert retrieval.document["metrics"].keys() == names
    assert all(0 <= value <= 100 for value in retrieval.document["metrics"].values())
    captions = invoked("evaluate", "captions", shard, *common)
    assert captions.document["metrics"].keys() == {"cider_d", "bleu4", "rouge_l"}
    assert captions.document["tokenizer"].startswith("ptb-like")
    for number, (name, rgb) in enumerate(COLOURS.items()):
        folder = tmp_path / "classes" / f"{name}_thing"
        folder.mkdir(parents=True)
        (folder / "one.jpg").write_bytes(jpeg(rgb, number))
        (folder / "two.jpg").write_bytes(jpeg(rgb, number + 50))
    (tmp_path / "classes" / "red_thing" / "bad.jpg").write_bytes(b"")
    zeroshot = invoked("evaluate", "zeroshot", tmp_path / "classes", *common)
    assert zeroshot.document["metrics"].keys() == {"top1", "top5", "top1_macro"}
    assert zeroshot.document["skipped"] == 1
    table = invoked("evaluate", "zeroshot", tmp_path / "classes", "--model", model)
    assert "top1, mean of the classes" in table.out


def test_a_reader_that_leaves_early_is_no_error(library: tuple[Path, Outcome], model: Path) -> None:
    """``cocadesk search ... | head -0`` ends without a traceback."""
    with started("search", "x", "--library", library[0], "--model", model) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=60)
    assert errors == b""


def test_words_beside_a_running_writer_are_printed_and_not_kept(
    library: tuple[Path, Outcome], photos: Path, model: Path
) -> None:
    """The library is read; a note says who has it."""
    with Library.open(library[0]):
        outcome = cocadesk(
            "tag", photos / "green.jpg", "--library", library[0], "--model", model, "--json"
        )
        assert outcome.code == 0
        assert len(outcome.document["results"]) == 1
        assert "They were not stored in the library." in outcome.err
        assert str(os.getpid()) in outcome.err
        index = cocadesk("index", photos, "--library", library[0], "--model", model)
        assert index.code == 2
        assert str(os.getpid()) in index.err


def test_commands_join_the_engine_that_has_the_library(tmp_path: Path) -> None:
    """Index, search and info go through a running engine, which stays the only writer."""
    folder = photos_and_a_broken_one(tmp_path)
    with real_client(tmp_path) as client:
        common = ("--library", tmp_path / "library", "--json")
        indexed = invoked("index", folder, *common)
        assert indexed.code == 1, indexed.err
        assert (indexed.document["indexed"], indexed.document["unchanged"]) == (3, 0)
        (failure,) = indexed.document["failed"]
        assert failure["path"] == str(folder / "broken.jpg")
        found = invoked("search", "something green", "--limit", "2", *common)
        assert found.code == 0, found.err
        assert len(found.document["results"]) == 2
        assert found.document["results"][0]["path"].startswith(str(folder))
        member = folder / "new-1.png"
        outside = write_photo(tmp_path / "outside.jpg", 5)
        captioned = invoked("caption", member, *common)
        assert captioned.document["results"][0]["caption"].startswith("a ")
        assert "not kept" not in captioned.err
        tagged = invoked("tag", member, outside, *common)
        assert [Path(item["path"]) for item in tagged.document["results"]] == [member, outside]
        assert "not kept" not in tagged.err
        kept = client.ask(Describe(key=_key(client, member)), Description)
        assert kept.caption == captioned.document["results"][0]["caption"]
        info = invoked("info", *common)
        assert (info.document["media"], info.document["failed"]) == (3, 1)
        assert info.document["model"] == "fake-000000000000"
        assert client.ask(GetInfo(), Info).counts.media == 3


def _key(client: EngineClient, path: Path) -> str:
    keys = client.ask(ListNewest(), Keys).keys
    rows = client.ask(GetRows(keys=keys), Rows).rows
    return next(row.key for row in rows if row.path.to_bytes() == os.fsencode(path))


def test_train_hands_the_file_to_the_trainer(tmp_path: Path) -> None:
    """A bad setting is the trainer's own sentence and code, passed through."""
    config = tmp_path / "run.toml"
    config.write_text("nonsense = 1\n")
    outcome = cocadesk("train", config)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err


def test_the_checkout_is_what_is_tested() -> None:
    """The processes of these tests run this very source."""
    done: Any = subprocess.run(
        [sys.executable, "-P", "-c", "import cocadesk; print(cocadesk.__file__)"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).parent == ROOT / "cocadesk"
