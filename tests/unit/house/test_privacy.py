"""Nothing leaves the machine, whatever the libraries below would like to send."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.architecture import ROOT

# Python reports each of these to the hook before it does it.
WATCH = """
import sys
watched = {"os.fork", "os.forkpty", "socket.getaddrinfo", "urllib.Request"}
sockets = {"socket.connect", "socket.bind"}
def hook(event, arguments):
    is_inet = event in sockets and isinstance(arguments[1], tuple)
    if event in watched or is_inet:
        print("seen:", event, arguments)
sys.addaudithook(hook)
"""
CONVERT = """
from pathlib import Path
import numpy as np
import torch
from cocadesk.model.runtime.openvino import CompiledImages, convert, save
class Mean(torch.nn.Module):
    def forward(self, images_BHWC):
        return images_BHWC.float().mean((1, 2))
model = convert(Mean(), 8)
save(model, Path(sys.argv[1]) / "mean.xml")
(means_BC,) = CompiledImages(model)(np.full((3, 8, 8, 3), 7, np.uint8))
print("done", means_BC.tolist()[2], sys.modules["openvino_telemetry"])
"""


def seen(script: str, folder: object) -> str:
    """What a new process prints that runs ``script`` under watch."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH + script, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_converting_a_model_reports_to_nobody(tmp_path_factory: pytest.TempPathFactory) -> None:
    """OpenVINO's telemetry would fork a process that calls its maker."""
    pytest.importorskip("openvino", reason="OpenVINO does not exist for this machine")
    output = seen(CONVERT, tmp_path_factory.mktemp("compiled"))
    assert "seen:" not in output
    assert output.strip().endswith("done [7.0, 7.0, 7.0] None")


def test_the_watch_sees_a_connection(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The hook itself works."""
    script = "import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 9))"
    assert "seen: socket.connect" in seen(script, tmp_path_factory.mktemp("none"))


WORK = """
import importlib, sys
from pathlib import Path
for name in ("cocadesk.cli.app", "cocadesk.engine.engine", "cocadesk.model.runtime.coca_backend",
             "trainer.stages.session", "trainer.tuning.run"):
    importlib.import_module(name)
from cocadesk.protocol.messages import Hits, Search
from tests.support.engines import coloured_photos, index, local_engine
folder = Path(sys.argv[1])
with local_engine(folder / "library") as engine:
    index(engine, coloured_photos(folder / "photos"))
    print("found", len(engine.ask(Search(text="red", limit=3), Hits).hits))
"""


def test_no_import_and_no_work_of_the_program_touches_the_network(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A library below us would bind ::1 at its import, to see whether there is such a thing."""
    output = seen(WORK, tmp_path_factory.mktemp("work"))
    assert "seen:" not in output
    assert "found 3" in output
