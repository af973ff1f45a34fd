"""Serves a fake engine: ``python -P -m cocadesk.fake_engine --library DIR``."""

from __future__ import annotations

import sys

from cocadesk.fake_engine.engine import main

if __name__ == "__main__":
    sys.exit(main())
