"""A process whose memory really ends: the same answers in smaller parts, or a plain sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cocadesk.resources import resource_path
from tests.support.open_clip_towers import KINDS, run_towers
from tests.support.released_model import write_released

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")

ROOT = Path(__file__).resolve().parents[3]
SENTENCE = "The memory of this computer does not suffice for the model"
LIMITED = """
import gc, resource, sys
from pathlib import Path
import numpy as np
import torch
from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.runtime.memory import release_memory

torch.set_num_threads(1)

def limit_to(more_mb):
    release_memory()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = resource.RLIM_INFINITY if more_mb is None else pages * 4096 + (more_mb << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))

"""


def child(program: str, folder: Path, *arguments: object) -> list[str]:
    """The lines that a program printed, which may limit the memory of its process."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "COCADESK_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED + program, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


EXPLAINED = """
caption = "two dogs run over the wet sand of a long beach while a child in a red coat throws a ball"
image = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3), np.uint8)
with open_backend(sys.argv[1], "cpu") as backend:
    whole = backend.explain_words(image, caption)
    limit_to(60)
    parts = backend.explain_words(image, caption)
    size = backend._window_limit.size
    limit_to(None)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.heat_BYX, other.heat_BYX, atol=1e-4)
print(len(parts), size)
with open_backend(sys.argv[1], "cpu") as backend:
    print(backend._window_limit.size)
"""


def test_a_heat_map_without_memory_is_computed_in_smaller_parts(tmp_path: Path) -> None:
    """The same heat; how many parts of the picture fit is remembered."""
    source = write_released(tmp_path / "model" / "open_clip_model.safetensors")
    first, second = child(EXPLAINED, tmp_path, source)
    words, size = map(int, first.split())
    assert words > 15
    assert size < 16
    assert int(second) == size


OPENED = """
source, image = sys.argv[1], np.zeros((1, int(sys.argv[2]), int(sys.argv[2]), 3), np.uint8)
def used():
    with open_backend(source, "cpu") as backend:
        backend.embed_images(image)
        backend.embed_texts(["a dog"])
        if backend.info().is_for_captions:
            backend.caption(image)
used()  # all modules are there
for facts in Path(sys.argv[3]).glob("cache/**/*.json"):
    if facts.parent.name == "search":
        facts.unlink()
for more_mb in (20, 36, None):
    limit_to(more_mb)
    try:
        used()
        outcome = "done"
    except UserError as error:
        outcome = str(error)
    limit_to(None)
    print(outcome)
"""


@pytest.mark.parametrize("kind", ["clip", "coca"])
def test_weights_that_do_not_fit_into_memory_are_not_called_wrong(
    tmp_path: Path, kind: str
) -> None:
    """Wherever it ends: while they are read, while the network is built, or later."""
    if kind == "coca":
        source, size_px = write_released(tmp_path / "model" / "open_clip_model.safetensors"), 64
    else:
        assert kind in KINDS
        source, size_px = tmp_path / "tiny-clip", 96
        photos = tmp_path / "photos"
        photos.mkdir()
        for photo in sorted((resource_path("samples") / "photos").glob("*.jpg"))[:2]:
            shutil.copy(photo, photos)
        run_towers(source, kind, photos)
    outcomes = child(OPENED, tmp_path, source, size_px, tmp_path)
    assert outcomes[-1] == "done"
    short = [outcome for outcome in outcomes if outcome != "done"]
    assert short
    assert all(outcome.startswith(SENTENCE) for outcome in short), short
