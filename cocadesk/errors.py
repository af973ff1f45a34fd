"""The one error that is meant for people."""

from __future__ import annotations


class UserError(Exception):
    """Something the person can understand and act on.

    ``what`` says what did not work, ``why`` gives the reason, ``what_to_do``
    the next step; each is a sentence or empty. The edges (command line,
    window) show it without a traceback; every other exception is a bug and
    keeps its traceback in the log.
    """

    def __init__(self, what: str, why: str = "", what_to_do: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, what_to_do) if part))
        self.what = what
        self.why = why
        self.what_to_do = what_to_do
