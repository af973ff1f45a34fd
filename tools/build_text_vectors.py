"""Makes resources/text_vectors: the usual tags' vectors by the starter, for a first search.

    python tools/build_text_vectors.py

To be run after the starter, the vocabulary or the prompts have changed; a test says so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cocadesk.annotations.prompts import class_vectors, prompts, vectors_file
from cocadesk.annotations.vocabulary import load_vocabulary
from cocadesk.model.backend import open_backend

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "text_vectors"


def main() -> int:
    """Writes the file in int8, each row by its largest number, and takes older files away."""
    tags = load_vocabulary().tags
    with open_backend() as backend:
        name = vectors_file(backend.info(), [prompts(tag) for tag in tags])
        vectors_CD = class_vectors(backend, tags)
    with tempfile.NamedTemporaryFile(dir=FOLDER, suffix=".part", delete=False) as part:
        largest_C1 = np.abs(vectors_CD).max(axis=1, keepdims=True)
        rows_CD = np.round(vectors_CD / largest_C1 * 127).astype(np.int8)
        np.save(part, rows_CD, allow_pickle=False)
    Path(part.name).chmod(0o644)
    for old in FOLDER.glob("*.npy"):
        old.unlink()
    Path(part.name).rename(FOLDER / name)
    sys.stdout.write(f"{name}: {len(tags)} tags\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
