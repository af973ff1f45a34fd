"""What people decide about groups of same pictures, all through the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from cocadesk.annotations.human import AnnotationChange, Command, HumanAnnotations
from cocadesk.errors import UserError, grouped, tr
from cocadesk.library.edits import GROUP_BEST, apart_field, apart_pairs, best_keys
from cocadesk.library.groups import BURST
from cocadesk.library.library import Library

MOST_APART = 100
"""So many media at most are set apart from each other at once: each pair is an entry of the log."""


class GroupEditor:
    """Decisions about the groups of one library.

    Each is one batch of the log with those on captions and tags, so that the same undo takes
    it back. Any thread.
    """

    def __init__(self, library: Library, annotations: HumanAnnotations) -> None:
        self._library = library
        self._annotations = annotations

    def set_apart(self, keys: Sequence[str]) -> AnnotationChange:
        """Lets no two of these media be in one group; one alone is set apart from its group.

        Raises:
            UserError: one of them is no longer in the library, or they are very many.
        """
        with self._annotations.lock:
            keys = self._there(keys)
            if len(keys) > MOST_APART:
                raise UserError(
                    tr(
                        "{keys} photos are too many to set apart from each other at once.",
                        keys=grouped(len(keys)),
                    ),
                    tr("What is said of each two of them is kept."),
                    tr("Choose at most {most_apart} at a time.", most_apart=MOST_APART),
                )
            others = keys if len(keys) > 1 else self.members(keys[0])
            pairs = {tuple(sorted((one, other))) for one in keys for other in others}
            known, command = apart_pairs(self._library.edits), Command()
            new = sorted((a, b) for a, b in pairs if a != b and (a, b) not in known)
            edits = [command.edit(a, apart_field(b), "null", "true") for a, b in new]
            change = self._annotations.record(edits)
            return replace(change, keys=tuple(dict.fromkeys(k for pair in new for k in pair)))

    def set_best(self, key: str, *, is_best: bool) -> AnnotationChange:
        """Calls a medium the best of its group instead of any other; or not any more.

        Raises:
            UserError: it is no longer in the library.
        """
        with self._annotations.lock:
            (key,) = self._there([key])
            chosen, command = best_keys(self._library.edits), Command()
            others = set(self.members(key)) - {key} if is_best else set()
            said = {other: False for other in chosen if other in others}
            said |= {key: is_best} if (key in chosen) != is_best else {}
            edits = [
                command.edit(one, GROUP_BEST, json.dumps(None if so else True), json.dumps(so))
                for one, so in ((one, so or None) for one, so in said.items())
            ]
            return self._annotations.record(edits)

    def members(self, key: str) -> list[str]:
        """The media of the largest group that a medium is in; none where it is in none."""
        groups = self._library.results.groups.current()
        place = int(groups.places([key])[0])
        if place < 0:
            return []
        return [groups.key(p) for p in groups.members(BURST, int(groups.firsts[BURST][place]))]

    def _there(self, keys: Sequence[str]) -> list[str]:
        wanted = list(dict.fromkeys(keys))
        if not wanted or len(self._library.results.of_keys(wanted)) < len(wanted):
            raise UserError(tr("This photo or video is no longer in the library."))
        return wanted
