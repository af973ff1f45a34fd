"""Hub sources: found in the cache without a socket, fetched with hashes checked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.hub import parse_repository
from cocadesk.model.known_models import known_models
from cocadesk.model.source import find_checkpoint, resolve_source
from tests.support.architecture import ROOT
from tests.support.released_model import released_config, write_released
from tests.support.tiny_model import write_tiny_checkpoint

SAFE = "open_clip_model.safetensors"
#: Opens a source in a new process and prints what came of it, and every connection.
OPEN = """
import sys
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        print("socket", arguments)
sys.addaudithook(hook)
from cocadesk.errors import UserError
from cocadesk.model.source import find_checkpoint
try:
    print("opened", find_checkpoint(sys.argv[1]).ids().image_id)
except UserError as error:
    print("refused", error)
print("imported", "huggingface_hub" in sys.modules)
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fresh caches: ours and the hub's."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path


def put_in_cache(hub_folder: Path, name: str) -> Path:
    """A repository as huggingface_hub keeps it: blobs by hash, links in a snapshot."""
    folder = hub_folder / f"models--{name.replace('/', '--')}"
    snapshot = folder / "snapshots" / ("a" * 40)
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("a" * 40)
    (folder / "blobs").mkdir()
    snapshot.mkdir(parents=True)
    written = write_released(hub_folder.parent / "made" / SAFE)
    for file in (written, written.with_name("open_clip_config.json")):
        blob = folder / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
        blob.write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    return folder


def open_in_child(source: str, **environment: str) -> str:
    """What a new process says that opens the source."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN, source],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("source", "repository"),
    [
        ("open_clip:coca_ViT-B-32/laion2b_s13b_b90k", "laion/CoCa-ViT-B-32-laion2B-s13B-b90k"),
        ("open_clip:coca_ViT-L-14/laion2B-s13B-b90k", "laion/CoCa-ViT-L-14-laion2B-s13B-b90k"),
        ("open_clip:coca_vit-l/14/LAION2B-s13B-b90k", "laion/CoCa-ViT-L-14-laion2B-s13B-b90k"),
        (
            "open_clip:coca_ViT-L-14/mscoco_finetuned_laion2B-s13B-b90k",
            "laion/mscoco_finetuned_CoCa-ViT-L-14-laion2B-s13B-b90k",
        ),
        ("hf-hub:org/coca@v1.0", "org/coca"),
    ],
)
def test_a_released_name_is_read_in_any_usual_spelling(source: str, repository: str) -> None:
    """open_clip's README and its code spell the tags differently."""
    assert parse_repository(source).name == repository


@pytest.mark.parametrize(
    "source",
    [
        "open_clip:ViT-B-32/laion2b_s13b_b90k",
        "open_clip:coca_ViT-B-32",
        "open_clip:",
        "hf-hub:a",
        "hf-hub:../../etc",
        "hf-hub:a/../b",
        "hf-hub:a/b@../c",
        "hf-hub:a/b/c",
        "hf-hub:",
    ],
)
def test_a_name_that_cannot_be_one_is_refused(source: str) -> None:
    """Nothing outside the hub's cache can be reached by a name."""
    with pytest.raises(UserError):
        find_checkpoint(source)


def test_a_cached_model_opens_without_a_socket(folders: Path) -> None:
    """By its hub name, its folder, its snapshot, and as the only model of a cache."""
    repository = put_in_cache(folders / "hub", "org/coca")
    expected = find_checkpoint("hf-hub:org/coca")
    assert expected.config == released_config()
    for path in (repository, repository / "snapshots" / ("a" * 40), folders / "hub"):
        assert find_checkpoint(str(path)).ids() == expected.ids()
    said = open_in_child("hf-hub:org/coca")
    assert said.split() == ["opened", expected.ids().image_id, "imported", "False"]


def test_a_released_checkpoint_is_found_in_the_hubs_cache(folders: Path) -> None:
    """The cache of open_clip's own downloads serves."""
    put_in_cache(folders / "hub", "laion/CoCa-ViT-B-32-laion2B-s13B-b90k")
    found = find_checkpoint("open_clip:coca_ViT-B-32/laion2B-s13B-b90k", fetch=False)
    assert found.config == released_config()


def test_a_changed_file_of_the_cache_is_refused_and_removed(folders: Path) -> None:
    """Its name is the hash that its maker published."""
    repository = put_in_cache(folders / "hub", "org/coca")
    blob = (repository / "snapshots" / ("a" * 40) / SAFE).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"\x00")
    with pytest.raises(UserError, match="differs"):
        find_checkpoint("hf-hub:org/coca")
    assert not blob.exists()


def test_two_models_in_a_cache_must_be_named(folders: Path) -> None:
    """The sentence lists the names to use."""
    put_in_cache(folders / "hub", "org/coca")
    put_in_cache(folders / "hub", "org/other")
    with pytest.raises(UserError, match=r"hf-hub:org/coca, hf-hub:org/other"):
        find_checkpoint(str(folders / "hub"))


def test_offline_one_sentence_says_what_to_do_and_no_socket_opens() -> None:
    """HF_HUB_OFFLINE is respected."""
    said = open_in_child("open_clip:coca_ViT-L-14/laion2b_s13b_b90k", HF_HUB_OFFLINE="1")
    assert said.startswith("refused The model open_clip:coca_ViT-L-14/laion2b_s13b_b90k is not")
    assert "HF_HUB_OFFLINE is set" in said
    assert "copy the checkpoint here" in said
    assert "socket" not in said


def test_a_model_that_nobody_asked_to_fetch_is_not_fetched() -> None:
    """The program's start with a lost cache does not download a gigabyte."""
    with pytest.raises(UserError, match="not asked to be fetched"):
        find_checkpoint("hf-hub:org/coca", fetch=False)


@pytest.fixture
def small_hub(folders: Path) -> Iterator[tuple[str, Path]]:
    """A hub on this machine that serves org/coca: its address and its folder."""
    served = folders / "served"
    write_released(served / SAFE)
    (served / "hashes.json").write_text("{}")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.small_hub", str(served)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        yield process.stdout.readline().strip(), served
        process.stdin.close()


def test_a_model_is_fetched_once_and_checked(small_hub: tuple[str, Path], folders: Path) -> None:
    """Only its weights and settings come; the second opening needs no network."""
    address, _ = small_hub
    said = open_in_child("hf-hub:org/coca", HF_ENDPOINT=address)
    assert said.startswith("socket")
    assert f"opened {find_checkpoint('hf-hub:org/coca').ids().image_id}" in said
    snapshot = next((folders / "hub" / "models--org--coca" / "snapshots").iterdir())
    assert sorted(file.name for file in snapshot.iterdir()) == ["open_clip_config.json", SAFE]
    assert "socket" not in open_in_child("hf-hub:org/coca", HF_ENDPOINT=address)


def test_a_file_that_is_not_what_the_hub_published_is_refused(
    small_hub: tuple[str, Path], folders: Path
) -> None:
    """The hub's own list of hashes decides; the file is not kept."""
    address, served = small_hub
    (served / "hashes.json").write_text(json.dumps({SAFE: "0" * 64}))
    said = open_in_child("hf-hub:org/coca", HF_ENDPOINT=address)
    assert "differs" in said
    assert hub.snapshot_of(folders / "hub" / "models--org--coca") is None


def test_an_unknown_repository_and_a_silent_hub_are_sentences(
    small_hub: tuple[str, Path],
) -> None:
    """A mistyped name is told from a network that does not answer."""
    address, _ = small_hub
    assert "no public model org/none" in open_in_child("hf-hub:org/none", HF_ENDPOINT=address)
    said = open_in_child("hf-hub:org/coca", HF_ENDPOINT="http://127.0.0.1:9")
    assert "refused" in said
    assert "Fetching it failed" in said


def test_the_list_of_models_names_what_is_here(folders: Path) -> None:
    """The starter, runs that ended, the hub's CoCa models, folders, and a lost current one."""
    put_in_cache(folders / "hub", "laion/mscoco_finetuned_CoCa-ViT-B-32-laion2B-s13B-b90k")
    other = put_in_cache(folders / "hub", "org/clip-vit")
    (other / "snapshots" / ("a" * 40) / "open_clip_config.json").unlink()
    write_tiny_checkpoint(folders / "runs" / "01A" / "checkpoints" / "best")
    (folders / "runs" / "01A" / "result.json").write_text("{}")
    (folders / "runs" / "01A" / "spec.json").write_text('{"title": "My dog"}')
    write_tiny_checkpoint(folders / "runs" / "01B" / "checkpoints" / "best")
    write_tiny_checkpoint(folders / "mine" / "tiny")
    found = known_models(
        [folders / "mine", folders / "absent"], runs_folder=folders / "runs", used=["/gone/model"]
    )
    assert [model.source for model in found] == [
        "starter",
        "run:01A",
        "open_clip:coca_ViT-B-32/mscoco_finetuned_laion2b_s13b_b90k",
        str(folders / "mine" / "tiny"),
        "/gone/model",
    ]
    by_source = {model.source: model for model in found}
    assert by_source["run:01A"].name == "My dog"
    assert "captions only" in found[2].note
    assert [model.is_for_search for model in found] == [True, True, False, True, True]
    assert all(model.size_bytes > 10_000 for model in found[:-1])
    assert "not on this machine" in found[-1].note
    assert resolve_source("run:01A", folders / "runs") == str(folders / "runs" / "01A")


@pytest.mark.parametrize(
    "source",
    [
        "hf-hub:laion/CoCa-ViT-B-32-laion2B-s13B-b90k",
        "open_clip:coca_vit_b_32/laion2B-s13B-b90k",
    ],
)
def test_a_model_is_listed_once_by_the_name_that_a_library_uses(folders: Path, source: str) -> None:
    """Its files are on this machine, whatever name they go by."""
    put_in_cache(folders / "hub", "laion/CoCa-ViT-B-32-laion2B-s13B-b90k")
    found = [model.source for model in known_models(used=[source])]
    assert found == ["starter", source]


def test_huggingfaces_own_folder_is_the_hubs_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same variables in the same order as its library."""
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert hub.hub_cache() == tmp_path / "hub"
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert hub.hub_cache() == tmp_path / "huggingface" / "hub"
