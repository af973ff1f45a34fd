"""Runs the real program as a person would: a process of its own, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cocadesk.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-P", "-W", "error::ResourceWarning", "-m", "cocadesk.cli"]


def environment() -> dict[str, str]:
    """Ours, with this checkout's packages first and no network to be had."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; anything beside it is an error."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded


def invoked(*arguments: str | os.PathLike[str]) -> Outcome:
    """Runs ``cocadesk`` with these arguments in this process."""
    done = CliRunner().invoke(app, list(map(os.fspath, arguments)))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Outcome(code=done.exit_code, out=done.stdout, err=done.stderr)


def document_of(library: Path, *arguments: str | os.PathLike[str], code: int = 0) -> dict[str, Any]:
    """Runs ``cocadesk … --json`` on a library in this process; gives its document."""
    outcome = invoked(*arguments, "--library", library, "--json")
    assert outcome.code == code, outcome.err
    return outcome.document


@contextmanager
def started(
    *arguments: str | os.PathLike[str], **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """``cocadesk`` with these arguments, at work; killed in the end where it still runs."""
    given = {"env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with subprocess.Popen([*COMMAND, *arguments], **given) as process:
        try:
            yield process
        finally:
            process.kill()


def invoked_under(
    prefix: Sequence[str], *orders: Sequence[str | os.PathLike[str]]
) -> list[Outcome]:
    """Runs commands one after the other in one process, which the command ``prefix`` starts."""
    script = (
        "import json, sys\nfrom tests.support.program import invoked\n"
        "done = [invoked(*order) for order in json.loads(sys.argv[1])]\n"
        "print(json.dumps([[one.code, one.out, one.err] for one in done]))"
    )
    given = json.dumps([list(map(os.fspath, order)) for order in orders])
    done = subprocess.run(
        [*prefix, sys.executable, "-P", "-c", script, given],
        env=environment(),
        capture_output=True,
        timeout=120,
        check=True,
    )
    return [Outcome(code=code, out=out, err=err) for code, out, err in json.loads(done.stdout)]


def cocadesk(
    *arguments: str | os.PathLike[str] | bytes, limit_s: float = 120, **options: Any
) -> Outcome:
    """Runs ``cocadesk`` with these arguments to its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(),
        capture_output=True,
        timeout=limit_s,
        check=False,
        **options,
    )
    return Outcome(
        code=done.returncode,
        out=done.stdout.decode("utf-8"),
        err=done.stderr.decode("utf-8", "replace"),
    )
