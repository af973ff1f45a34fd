"""Files of named arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cocadesk.library.parts_file import Parts, PartsWriter


def test_a_small_file_is_held_by_nobody_who_read_it(tmp_path: Path) -> None:
    """Windows refuses to replace or remove what lies under a memory map."""
    path = tmp_path / "parts"
    with path.open("wb") as file:
        writer = PartsWriter(file)
        writer.add("numbers", np.arange(1000))
        writer.finish("a test")
    parts = Parts.of_file(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert parts.array("numbers").tolist() == list(range(1000))
