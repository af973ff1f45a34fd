"""Serves a fake engine: ``python -P -m cocadesk.fake_engine --library DIR``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cocadesk.fake_engine.engine import FakeEngine


def main() -> int:
    """Serves a fake engine for a library folder until nobody uses it."""
    parser = argparse.ArgumentParser(prog="cocadesk.fake_engine")
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--media", type=int, default=60)
    parser.add_argument("--step-s", type=float, default=0.15)
    parser.add_argument("--threads", type=int, help="as of the real engine; nothing computes here")
    options = parser.parse_args()
    options.library.mkdir(parents=True, exist_ok=True)
    engine = FakeEngine(options.library, media=options.media, step_s=options.step_s)
    engine.server.run()
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
