"""A torch that can't be loaded: what does without it goes on, all else says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import ROOT
from tests.support.tiny_model import write_tiny_checkpoint

WORDS = "libcudart.so.13: cannot open shared object file"
#: Tries what is named by the arguments with a model, and prints what came of each.
PROGRAM = """
import json, sys
import numpy as np
from cocadesk.errors import UserError
from cocadesk.model import device
from cocadesk.model.backend import open_backend
device.has_nvidia_driver = lambda: True
said = {}
with open_backend(sys.argv[1]) as backend:
    info = backend.info()
    images = np.zeros((1, info.input_spec.size_px, info.input_spec.size_px, 3), np.uint8)
    said["device"], said["reason"] = info.device, info.reason
    work = {
        "query": lambda: backend.embed_texts(["a dog on a beach"]),
        "vocabulary": lambda: backend.embed_texts(["a dog"] * 300),
        "pictures": lambda: backend.embed_images(images),
        "captions": lambda: backend.caption(images),
        "heat": lambda: backend.explain(images, "a dog"),
    }
    for name, asked in work.items():
        try:
            asked()
            said[name] = "done"
        except UserError as error:
            said[name] = [error.what, error.why, error.what_to_do]
print(json.dumps(said))
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages with a torch for CUDA that fails as a real one does."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    package = tmp_path / "packages" / "torch"
    package.mkdir(parents=True)
    (package / "version.py").write_text("__version__ = '2.13.0+cu130'\ncuda = '13.0'\nhip = None\n")
    (package / "__init__.py").write_text(f"raise OSError({WORDS!r})\n")
    return package.parent


def tried(source: str, packages: Path) -> dict[str, object]:
    """What came of each work with a model, in a process that finds these packages first."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, source],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, object] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("is_starter", [True, False])
def test_queries_are_answered_and_all_else_says_what_to_do(
    broken: Path, tmp_path: Path, is_starter: bool
) -> None:
    """A search over vectors that are there needs texts alone, and they are NumPy's."""
    source = "starter" if is_starter else str(write_tiny_checkpoint(tmp_path / "model"))
    said = tried(source, broken)
    assert said["device"] == "cpu"
    assert f"PyTorch (2.13.0+cu130) can't be loaded ({WORDS})" in str(said["reason"])
    assert (said["query"], said["vocabulary"]) == ("done", "done")
    for work in ("pictures", "captions", "heat"):
        what, why, what_to_do = said[work]  # type: ignore[misc]
        assert what == "This needs PyTorch, which can't be loaded here."
        assert why == f"{WORDS}."
        assert "uv pip install" in what_to_do


def test_weights_that_torch_would_read_are_not_called_damaged(broken: Path, tmp_path: Path) -> None:
    """They may be fine."""
    for name in ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"):
        (tmp_path / name).write_bytes(bytes(100))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cocadesk.errors import UserError\n"
        "from cocadesk.model.checkpoints.weight_files import read_state_dict\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        read_state_dict(Path(path))\n"
        "    except UserError as error:\n"
        "        print(error.what)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(tmp_path.glob("open_clip_*")))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{broken}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == 2 * ["This needs PyTorch, which can't be loaded here."]
