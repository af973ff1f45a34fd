"""The list that a window showed last, kept in a file and painted before the engine answers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cocadesk.protocol.endpoint import last_view_file
from cocadesk.protocol.messages import PROTOCOL_VERSION, Done, Hits, Keys, Rows
from cocadesk.protocol.private_file import write_privately
from cocadesk.protocol.values import Row
from cocadesk.protocol.wire import FrameReader, ProtocolError, decode_engine_message, encode
from ui.library.browser import Browser
from ui.library.query import Query, Showing
from ui.library.results_model import ResultsModel

MOST_KEYS = 200_000
ROWS_AROUND = (60, 240)
"""So many rows before the first visible photo and from it on."""
_MAGIC = f"cocadesk last view {PROTOCOL_VERSION}\n".encode()
_KEPT = (Showing.NEWEST, Showing.SEARCH, Showing.ALBUM, Showing.FILTERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastView:
    """An answer of the engine to a question, with the rows of the photos that were seen."""

    question: str
    answer: Keys | Hits
    rows: tuple[Row, ...]


def current_view(browser: Browser, model: ResultsModel, top: int) -> LastView | None:
    """The list as it is now, first visible at place ``top``; None where it is not settled.

    Of a very long list the first keys are kept; the engine brings the others.
    """
    listing = browser.listing
    is_kept = listing.is_settled and listing.problem is None and listing.showing in _KEPT
    if not is_kept or not listing.shown or model.groups.opened:
        return None
    keys = tuple(islice(model.keys, MOST_KEYS))
    is_whole = len(keys) == model.rowCount()
    shapes = bytes(model.keys.shapes[: len(keys)])
    days = model.days if is_whole else None
    hits = [hit for key in keys[:1000] if (hit := model.hit_of(key)) is not None]
    answer: Keys | Hits
    if hits:
        answer = Hits(hits=tuple(hits), complete=listing.is_complete, shapes=shapes, days=days)
    else:
        marks = map(model.groups.mark, keys) if model.groups.hidden else ()
        copies = tuple(0 if mark is None else mark.number - 1 for mark in marks)
        answer = Keys(keys=keys, total=listing.total, copies=copies, shapes=shapes, days=days)
    seen = keys[max(0, top - ROWS_AROUND[0]) : top + ROWS_AROUND[1]]
    rows = (model.known_row(key) for key in seen)
    known = tuple(row for row in rows if row is not None)
    return LastView(question=question_text(browser.question), answer=answer, rows=known)


def question_text(query: Query) -> str:
    """A question as a text that is another for each other list."""
    words = f"{query.whole} {query.likeness} {query.as_words or ''}"
    return f"{words}\n{query.sorted().sort}"


def keep_view(library: Path, view: LastView | None) -> None:
    """Writes the view into a file that only its owner can read; None: there is none any more.

    A file that can't be written costs nothing but the quick start.
    """
    file = last_view_file(library)
    with contextlib.suppress(OSError, ProtocolError, UnicodeError):
        if view is None:
            file.unlink(missing_ok=True)
            return
        asked = view.question.encode()
        parts = [_MAGIC, len(asked).to_bytes(4, "big"), asked]
        parts += [encode(Done(id=0, body=body)) for body in (view.answer, Rows(rows=view.rows))]
        write_privately(file, parts)


def read_view(library: Path) -> LastView | None:
    """The view that was kept last, where there is one that this program can read."""
    try:
        data = last_view_file(library).read_bytes()
        if not data.startswith(_MAGIC):
            return None
        begin = len(_MAGIC) + 4
        end = begin + int.from_bytes(data[begin - 4 : begin], "big")
        question = data[begin:end].decode()
        messages = [decode_engine_message(frame) for frame in FrameReader().feed(data[end:])]
    except (OSError, ProtocolError, UnicodeError):
        return None
    bodies = [message.body for message in messages if isinstance(message, Done)]
    if len(bodies) != 2 or not isinstance(bodies[1], Rows):
        return None
    answer = bodies[0]
    if not isinstance(answer, Keys | Hits):
        return None
    return LastView(question=question, answer=answer, rows=bodies[1].rows)


def forget_views() -> None:
    """Removes the views of all libraries, e.g. with the searches that they answer."""
    with contextlib.suppress(OSError):
        for file in last_view_file(Path()).parent.iterdir():
            file.unlink(missing_ok=True)
