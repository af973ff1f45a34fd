"""The entry point of the command ``cocadesk``."""

from __future__ import annotations

import gc


def main() -> None:
    """Reads the command line, runs the command and ends the process with its code."""
    # What is imported stays: the collector would go through it a hundred times (6 % of a search).
    gc.set_threshold(50_000, 20, 20)
    from cocadesk.cli.threads import limit_numpy_threads
    from cocadesk.locations import keep_private

    keep_private()
    limit_numpy_threads()
    import cocadesk.engine  # noqa: F401  settles the language, before texts are made
    from cocadesk.cli.app import app

    app(prog_name="cocadesk")
