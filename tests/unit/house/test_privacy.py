"""Nothing leaves the machine, whatever the libraries below would like to send."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.architecture import ROOT

# Python reports each of these to the hook before it does it.
WATCH = """
import sys
watched = {"os.fork", "os.forkpty", "socket.connect", "socket.getaddrinfo", "urllib.Request"}
def hook(event, arguments):
    if event in watched:
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
