"""Memory of mapped files is given back while they stay open, and nothing else changes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.model.checkpoints.checkpoint import WEIGHTS, load_model, open_checkpoint
from cocadesk.model.checkpoints.int8_rows import MappedFloats, floats_of
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.mapped_files import forget_mapped
from cocadesk.model.runtime.torch import forget_as_it_goes
from tests.support.tiny_model import write_tiny_checkpoint

MB = 1 << 20


def mapped_mb() -> float:
    """What mapped files take of this process's memory."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssFile:"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system is not asked")
def test_a_forgotten_file_takes_no_memory_and_is_read_again(tmp_path: Path) -> None:
    """Of no other file, whatever its name begins with."""
    files = [tmp_path / name for name in ("weights", "weights and more")]
    for file in files:
        file.write_bytes(np.arange(8 * MB, dtype=np.uint32).tobytes())
    maps = [np.memmap(file, np.uint32, "r") for file in files]
    before = mapped_mb()
    sums = [int(each.sum()) for each in maps]
    assert mapped_mb() - before > 50
    forget_mapped(files[0])
    assert 25 < mapped_mb() - before < 40
    assert [int(each.sum()) for each in maps] == sums
    forget_mapped(tmp_path / "nothing")


def test_weights_that_are_mapped_one_by_one_are_those_of_the_file(tmp_path: Path) -> None:
    """In float32, of the wanted parts alone."""
    file = write_tiny_checkpoint(tmp_path / "m") / WEIGHTS
    prefixes = ("image_", "unimodal.layers.")
    expected = floats_of(map_safetensors(file, prefixes))
    found = MappedFloats(file, prefixes)
    assert set(found) == set(expected)
    assert len(found) == len(expected)
    assert "unimodal.position" not in found
    for name, weight in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], weight)
    with pytest.raises(KeyError):
        found["unimodal.position"]


def test_a_network_that_forgets_gives_the_same(tmp_path: Path) -> None:
    """Twice, too: what is needed again is mapped again."""
    folder = write_tiny_checkpoint(tmp_path / "m")
    checkpoint = open_checkpoint(folder)
    size = checkpoint.config.image.size_px
    images = torch.randint(0, 255, (2, size, size, 3), dtype=torch.uint8)
    plain, forgetting = load_model(checkpoint), load_model(checkpoint)
    forget_as_it_goes(forgetting, folder / WEIGHTS)
    with torch.inference_mode():
        expected = plain.encode_image(images)
        for _ in range(2):
            found = forgetting.encode_image(images)
            torch.testing.assert_close(found.vector_BE, expected.vector_BE)
            torch.testing.assert_close(found.tokens_BQD, expected.tokens_BQD)
