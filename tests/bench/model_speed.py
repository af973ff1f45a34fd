"""The speed that two depths of a network foretell, against that of the whole network.

    python tests/bench/model_speed.py [--large]

Random weights of coca_ViT-B-32's image side (``--large``: L-14's, 1.3 GB), all layers, by the
same runtime. Exit code 1 where the two differ by more than a fifth.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.model.speed import RELEASED, seconds_by_depth, seconds_of

MOST = 0.2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="coca_ViT-L-14 too")
    names = list(RELEASED)[: 2 if parser.parse_args().large else 1]
    is_near = True
    for name in names:
        sizes = RELEASED[name]
        foretold, whole = seconds_by_depth(sizes), seconds_of(sizes, sizes.layers)
        print(f"{name}: {1 / foretold:.2f} photos/s foretold, {1 / whole:.2f} by all layers")
        is_near &= abs(foretold / whole - 1) <= MOST
    return 0 if is_near else 1


if __name__ == "__main__":
    sys.exit(main())
