"""The memory of the engine's own process while it indexes, searches and captions with a model.

    python -m tests.bench.engine_memory SOURCE CACHE [--precision float32] [--photos 100]

prints one JSON document: the peak of each step in MB (Linux: ``VmHWM``), and what the process
held at its end. It is the process that the window starts; decoders are others. Run twice on a
cache folder it shows the first use, which converts and compares, and a later one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.annotations.vocabulary import set_custom_vocabulary
from cocadesk.library.library import Library
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.endpoint import read_endpoint
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import Hits, JobReply, Search, StartCaption, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, Scope
from tests.bench.change_over import write_photos
from tests.support.engines import stop

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend

SOURCE_VARIABLE = "COCADESK_BENCH_SOURCE"
CAPTIONED = 8
TAGS = ("dog", "beach", "car", "child", "tree", "house")
"""Few: vectors of thousands take a large model minutes, and no more memory."""
STEPS = ("index", "search", "captions", "search again")
_LIMIT_S = 1800.0
_FIELDS = ("VmRSS", "RssAnon", "RssFile")


def measured(source: Path, cache: Path, precision: str, photos: int = 100) -> Mapping[str, float]:
    """What this module prints, by a process of its own."""
    command = [sys.executable, "-P", "-m", "tests.bench.engine_memory", str(source), str(cache)]
    more = ["--photos", str(photos), *(["--precision", precision] if precision else [])]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [*command, *more], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def float32_backend() -> Backend:
    """The model of ``SOURCE_VARIABLE`` as a CPU computes it that has no smaller numbers."""
    from cocadesk.model.runtime import openvino
    from cocadesk.model.runtime.coca_backend import CocaBackend
    from cocadesk.model.source import find_checkpoint
    from cocadesk.model.values import RuntimeLimits

    openvino.has_bfloat16 = lambda: False
    limits = RuntimeLimits(max_caption_loss=-1.0)
    return CocaBackend(find_checkpoint(os.environ[SOURCE_VARIABLE]), "cpu", limits=limits)


class Peaks:
    """The most memory of a process, in MB, step by step."""

    def __init__(self, process: int) -> None:
        self._folder = Path("/proc") / str(process)
        self.found: dict[str, float] = {}

    def now(self, name: str) -> float:
        """A field of its status."""
        lines = (self._folder / "status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))

    def end(self, step: str) -> None:
        """Notes the peak since the last step, and begins anew."""
        self.found[step] = self.now("VmHWM")
        (self._folder / "clear_refs").write_text("5", "ascii")


def engine_peaks(source: Path, cache: Path, precision: str, photos: int) -> Mapping[str, float]:
    """The peak of each step, and what is held at the end."""
    os.environ |= {"COCADESK_CACHE": str(cache), SOURCE_VARIABLE: str(source)}
    chosen = ["--model", str(source), "--no-watching"]
    if precision == "float32":
        chosen += ["--backend", "tests.bench.engine_memory:float32_backend"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_photos(folder / "photos", photos)
        Library.open(folder / "library").close()
        set_custom_vocabulary(folder / "library", TAGS)
        client = connect_or_start(folder / "library", events=True, extra=chosen)
        with client:
            try:
                endpoint = read_endpoint(folder / "library")
                assert endpoint is not None
                return _steps(client, endpoint.pid, folder / "photos")
            finally:
                stop(client)
                time.sleep(1)


def _steps(client: EngineClient, process: int, photos: Path) -> Mapping[str, float]:
    peaks = Peaks(process)
    begun = time.monotonic()
    first = client.ask(StartIndex(folders=(WirePath.of(photos),)), JobReply, timeout_s=_LIMIT_S)
    _end_of(client, first)
    peaks.end("index")
    found = client.ask(Search(text="two dogs on a beach"), Hits, timeout_s=_LIMIT_S)
    keys = tuple(hit.key for hit in found.hits[:CAPTIONED])
    assert len(keys) == CAPTIONED, found
    peaks.end("search")
    captions = client.ask(StartCaption(scope=Scope(keys=keys)), JobReply, timeout_s=_LIMIT_S)
    _end_of(client, captions)
    peaks.end("captions")
    client.ask(Search(text="a red car"), Hits, timeout_s=_LIMIT_S)
    peaks.end("search again")
    held = {f"held {field}": peaks.now(field) for field in _FIELDS}
    return peaks.found | held | {"seconds": time.monotonic() - begun}


def _end_of(client: EngineClient, started: JobReply) -> None:
    ended = client.ask(WatchJob(job_id=started.job.id), JobReply, timeout_s=_LIMIT_S)
    assert ended.job.state is JobState.DONE, ended.job.message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--precision", default="", choices=("", "float32"))
    parser.add_argument("--photos", type=int, default=100)
    options = parser.parse_args()
    found = engine_peaks(options.source, options.cache, options.precision, options.photos)
    print(json.dumps({name: round(value) for name, value in found.items()}))


if __name__ == "__main__":
    main()
