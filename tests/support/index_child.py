"""A process that indexes FOLDER into LIBRARY and says each step, to be killed by its parent."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from tests.support.index_tools import CountingBackend, InProcessDecoder


def main(library_folder: str, photos: str) -> None:
    """Index in small commits, one line a step."""
    options = IndexOptions(embed_batch=2, commit_rows=3, progress_s=0.001)
    with Library.open(Path(library_folder)) as library:
        roots = [os.fsencode(photos)]
        steps = index_steps(
            library, CountingBackend(), roots, pool=InProcessDecoder(), options=options
        )
        for step in steps:
            sys.stdout.write(f"{step.stage} {step.done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
