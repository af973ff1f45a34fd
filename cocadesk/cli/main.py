"""The entry point of the command ``cocadesk``."""

from __future__ import annotations


def main() -> None:
    """Reads the command line, runs the command and ends the process with its code."""
    from cocadesk.cli.threads import limit_numpy_threads
    from cocadesk.locations import collect_rarely, keep_private

    collect_rarely()
    keep_private()
    limit_numpy_threads()
    import cocadesk.engine  # noqa: F401  settles the language, before texts are made
    from cocadesk.cli.app import app

    app(prog_name="cocadesk")
