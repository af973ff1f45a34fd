"""The output of a command: one JSON document or text on stdout, all else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cocadesk.errors import decimal, tr, tr_as, tr_count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from cocadesk.errors import UserError
    from cocadesk.protocol.paths import WirePath
    from cocadesk.protocol.values import FailureValue, WriteItem

FileReason: TypeAlias = "FailureValue | WriteItem"
"""A file of a message that gave nothing, with the reason as a sentence."""

SHOWN_FAILURES = 20


def shown(path: bytes) -> str:
    """A path for people: bytes that are not UTF-8 become question marks."""
    return os.fsdecode(path).encode("utf-8", "replace").decode()


def path_fields(path: WirePath) -> dict[str, str]:
    """``path`` for a document, and ``path_b64`` where the bytes are not UTF-8."""
    return {"path": path.text} | ({} if path.raw is None else {"path_b64": path.raw})


def failed_fields(failures: Iterable[FileReason]) -> list[dict[str, str]]:
    """The ``failed`` list of a document."""
    return [{**path_fields(item.path), "reason": item.reason} for item in failures]


def _reason(item: FileReason) -> str:
    is_passing = getattr(item, "is_passing", False)
    return tr("{reason} It will be tried again.", reason=item.reason) if is_passing else item.reason


class Report:
    """The one place that writes to the terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._has_document = False

    def document(self, content: Mapping[str, Any]) -> None:
        """The one JSON document of a ``--json`` run, in UTF-8 whatever the locale; else nothing."""
        if not self.as_json:
            return
        if self._has_document:
            raise RuntimeError("a command prints one document")
        self._has_document = True
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2)
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()

    def line(self, text: str) -> None:
        """One line of a result for people; nothing with ``--json``."""
        if not self.as_json:
            _write(sys.stdout, text)

    def table(self, table: Table) -> None:
        """A table for people; nothing with ``--json``."""
        if not self.as_json:
            _console(to_stderr=False).print(table)

    def note(self, text: str) -> None:
        """A remark on stderr."""
        _write(sys.stderr, text)

    def failures(self, failures: Sequence[FileReason]) -> None:
        """Names the failed files on stderr, the first few of them."""
        self.notes([f"{item.path.text}: {_reason(item)}" for item in failures])

    def notes(self, texts: Sequence[str]) -> None:
        """Remarks on stderr, the first few of them."""
        for text in texts[:SHOWN_FAILURES]:
            self.note(text)
        if len(texts) > SHOWN_FAILURES:
            self.note(
                tr_count(len(texts) - SHOWN_FAILURES, "... and {n} more.", "... and {n} more.")
            )

    def error(self, error: UserError) -> None:
        """The sentences of an error on stderr; with ``--json`` also the one document."""
        for sentence in (error.what, error.why, error.what_to_do):
            if sentence:
                self.note(sentence)
        if self.as_json and not self._has_document:
            parts = {"what": error.what, "why": error.why, "what_to_do": error.what_to_do}
            self.document({"error": parts})

    def progress(self, *, only_with_json: bool = False) -> Progress:
        """A progress display on stderr; silent where stderr is no terminal.

        ``only_with_json``: for commands whose lines for people already show the progress.
        """
        from rich import progress

        console = _console(to_stderr=True)
        return progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[numbers]}"),
            progress.TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal or (only_with_json and not self.as_json),
        )


_MEASURES = {
    "t2i_r": tr("text to photo R@"),
    "i2t_r": tr("photo to text R@"),
    "cider_d": "CIDEr-D",
    "bleu4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "tags_per_photo": tr("tags a photo"),
    "right": tr("tags right, by their probabilities"),
    "untagged": tr("photos without a tag"),
    "top1_macro": tr("top1, mean of the classes"),
    "background_untagged": tr("photos of other things that are given no class"),
}


def measure(name: str) -> str:
    """A measure as papers write it: "text to photo R@5" for ``t2i_r5``."""
    known = next((start for start in _MEASURES if name.startswith(start)), None)
    return name if known is None else _MEASURES[known] + name.removeprefix(known)


def size(number: int) -> str:
    """Bytes as text: "36 MB", "1.0 GB"."""
    return f"{decimal(number / 1e9)} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def percent(share: float, places: int = 0) -> str:
    """A share as people write it: "42%"; in German "42 %"."""
    return tr("{number}%", number=decimal(100 * share, places))


def duration(seconds: float | None) -> str:
    """A time as text: "45 s", "3 min 20 s", "19 min", "2 h 5 min"."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if 600 <= whole < 3600:
        return f"{round(whole / 60)} min"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def clock(seconds: float) -> str:
    """A place in a video as players show it: "0:07", "12:34", "1:02:03"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(iso: str) -> str:
    """A time of the library on this computer's clock: "2026-03-09 14:05:00+01:00"."""
    from datetime import datetime

    local = datetime.fromisoformat(iso).astimezone()
    form = tr_as("a time: iso, or as strftime takes it", "iso")
    return local.isoformat(" ", timespec="seconds") if form == "iso" else local.strftime(form)


def digits(value: float) -> str:
    """A figure with four digits that count: "0.4512"; in German "0,4512"."""
    return f"{value:.4g}".replace(".", decimal(0.0)[1])


def _write(stream: Any, text: str) -> None:
    """Writes one line; letters that the terminal cannot show become question marks.

    A file's name must neither steer the terminal nor begin a line of its own.
    """
    from cocadesk.protocol.paths import printable

    encoding = getattr(stream, "encoding", None) or "utf-8"
    plain = printable(text).encode(encoding, "replace").decode(encoding)
    stream.write(plain + "\n")
    stream.flush()


def _console(*, to_stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=to_stderr, highlight=False, markup=False)
