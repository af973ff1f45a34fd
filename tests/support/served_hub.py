"""A hub on this machine with one model, and the program that fetches from it, as tests use them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.hub import Repository
from tests.support.architecture import ROOT
from tests.support.small_hub import COMMIT, FAULTS, LOG

SOURCE = "hf-hub:org/coca"
SAFE = "open_clip_model.safetensors"
SETTINGS = "open_clip_config.json"
SIZE = 3_000_000
REPOSITORY = Repository(name="org/coca")
#: The program that fetches, without the pauses between its tries.
FETCH = """
import sys, time
if sys.argv[1] == "quick":
    time.sleep = lambda _seconds: None
from cocadesk.model.checkpoints.fetch_process import main
sys.exit(main(sys.argv[2:]))
"""
#: Fetches with one fault after another, and prints what was said.
REFUSALS = f"""
import json, os, pathlib, sys, time
time.sleep = lambda _seconds: None
from cocadesk.errors import UserError
from cocadesk.model.checkpoints.fetching import find_snapshot
said = []
for fault in json.loads(os.environ["FAULTS"]):
    pathlib.Path(sys.argv[1]).write_text(json.dumps(fault))
    try:
        find_snapshot("{SOURCE}", fetch=True)
        said.append("fetched")
    except UserError as error:
        said.append("\\n".join((error.what, error.why, error.what_to_do)))
print(json.dumps(said))
"""


@dataclass(kw_only=True)
class Outcome:
    """What the program said."""

    code: int
    progress: list[tuple[int, int]] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """All of its error."""
        assert self.code == 2, self
        return " ".join(self.error[name] for name in ("what", "why", "what_to_do"))


@dataclass(kw_only=True)
class SmallHub:
    """The hub's address and folder, and the cache that is filled from it."""

    address: str
    served: Path
    cache: Path
    repository: str = REPOSITORY.name

    def fault(self, **faults: object) -> None:
        """Lets the hub behave so from now on."""
        (self.served / FAULTS).write_text(json.dumps(faults))

    @property
    def log(self) -> list[str]:
        """The requests so far."""
        path = self.served / LOG
        return path.read_text().splitlines() if path.exists() else []

    def forget_log(self) -> None:
        """Begins a new log."""
        (self.served / LOG).unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        """The repository in the cache."""
        return self.cache / f"models--{self.repository.replace('/', '--')}"

    @property
    def partial(self) -> Path:
        """The weights while they come."""
        tag = hashlib.sha256((self.served / SAFE).read_bytes()).hexdigest()
        return self.folder / "blobs" / f"{tag}.incomplete"

    def start(
        self, *arguments: str, pace: str = "quick", **environment: str
    ) -> subprocess.Popen[str]:
        """The program, begun."""
        return subprocess.Popen(
            [sys.executable, "-c", FETCH, pace, *(arguments or (SOURCE,))],
            cwd=ROOT,
            env={**os.environ, "HF_ENDPOINT": self.address, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def fetch(self, *arguments: str, **environment: str) -> Outcome:
        """The program, to its end."""
        with self.start(*arguments, **environment) as process:
            assert process.stdout is not None
            outcome = Outcome(code=-1)
            for text in process.stdout:
                line = json.loads(text)
                if "what" in line:
                    outcome.error = line
                elif "wait_s" in line:
                    outcome.waits_s.append(line["wait_s"])
                else:
                    outcome.progress.append((line["done"], line["total"]))
            outcome.code = process.wait()
            return outcome

    def refusals(self, faults: Sequence[Mapping[str, object]], **environment: str) -> list[str]:
        """The lines of the error with each of these faults of the hub, in one process."""
        environment |= {"HF_ENDPOINT": self.address, "FAULTS": json.dumps(faults)}
        done = subprocess.run(
            [sys.executable, "-c", REFUSALS, str(self.served / FAULTS)],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        said: list[str] = json.loads(done.stdout)
        return said

    def assert_whole(self) -> None:
        """All of it is in the cache, in the hub's own layout."""
        snapshot = hub.snapshot_of(self.folder)
        assert snapshot == self.folder / "snapshots" / COMMIT
        assert sorted(path.name for path in snapshot.iterdir()) == [SETTINGS, SAFE]
        for name in (SAFE, SETTINGS):
            assert (snapshot / name).is_symlink()
            assert (snapshot / name).read_bytes() == (self.served / name).read_bytes()
        assert (self.folder / "refs" / "main").read_text() == COMMIT
        assert not list((self.folder / "blobs").glob("*.incomplete"))


@contextmanager
def serving(
    folder: Path, monkeypatch: pytest.MonkeyPatch, repository: str = REPOSITORY.name
) -> Iterator[SmallHub]:
    """A hub with one repository, and empty caches, all in a folder."""
    monkeypatch.setenv("COCADESK_CACHE", str(folder / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    served = folder / "served"
    served.mkdir()
    data = np.random.default_rng(27).integers(0, 256, SIZE, dtype=np.uint8).tobytes()
    (served / SAFE).write_bytes(data)
    (served / SETTINGS).write_text('{"model_cfg": {}}')
    (served / "README.md").write_text("not wanted")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.small_hub", str(served), repository],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        address = process.stdout.readline().strip()
        yield SmallHub(address=address, served=served, cache=folder / "hub", repository=repository)
        process.stdin.close()


def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Waits for something that another process does."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)
