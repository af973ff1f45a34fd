"""Requests to forget media for good, and to exclude what is not to be looked at."""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.scopes import not_in_library
from cocadesk.engine.teaching.runs import RunStore
from cocadesk.errors import UserError, tr
from cocadesk.library.forgetting import ForgetOrder
from cocadesk.library.paths import is_under
from cocadesk.library.rows import MediaState, Placed, RootRow, paths_of
from cocadesk.locations import log_file
from cocadesk.media.excludes import Excludes, pattern_of
from cocadesk.media.scanning import EXCLUDED
from cocadesk.protocol.calls import Call
from cocadesk.protocol.endpoint import last_view_file
from cocadesk.protocol.endpoint import log_file as engine_log
from cocadesk.protocol.messages import Excluded, Forget, Forgotten, RowsChanged, SetExcludes
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ForgottenValue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The order, and the new patterns by the root that they belong to."""

    order: ForgetOrder
    excludes: dict[bytes, list[bytes]]

    @property
    def patterns(self) -> tuple[WirePath, ...]:
        return tuple(WirePath.of(one) for own in self.excludes.values() for one in own)


class ForgettingHandler(RequestHandler):
    """Forgets media, and keeps the patterns of what is passed over."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library
        self._runs = RunStore(context.library.runs_folder)

    # Forgetting ---------------------------------------------------------------------

    def _forget(self, body: Forget, call: Call) -> None:
        self._context.run_long(call, lambda: self._forgotten(body), name="forget")

    def _forgotten(self, body: Forget) -> Forgotten:
        """What went, or would go.

        Raises:
            UserError: a path names nothing in the library, or a job runs.
        """
        if body.is_preview:
            plan = self._plan(body)
            counts = to_value(self._library.forgetting.counts(plan.order), ForgottenValue)
            return Forgotten(counts=counts, excluded=plan.patterns)
        with self._context.jobs().at_rest() as forget_jobs, self._library.writing():
            plan = self._plan(body)
            # First what keeps the media away; then all that is found by their rows.
            for root in self._library.roots.all():
                if new := plan.excludes.get(root.path):
                    self._library.roots.exclude(root.path, [*root.excludes, *new])
            traces = plan.order.traces()
            runs, jobs = self._runs.forget(traces), forget_jobs(traces.is_in)
            _empty_logs(self._library.folder)
            with contextlib.suppress(FileNotFoundError):
                last_view_file(self._library.folder).unlink()
            done = self._library.forgetting.run(plan.order)
        self._context.publish(RowsChanged())
        counts = to_value(done, ForgottenValue, runs=runs, jobs=jobs)
        return Forgotten(counts=counts, excluded=plan.patterns)

    def _plan(self, body: Forget) -> _Plan:
        paths = [path.to_bytes() for path in body.paths]
        roots = self._library.roots.all()
        places = [_place(path, roots) for path in paths]
        chosen: list[Placed] = []
        kept: list[Placed] = []
        tops = _tops(places)
        for one in self._library.media.placed():
            is_in = not places or any(_is_in(path, tops) for path in paths_of(one))
            is_chosen = is_in and (not body.is_missing or one.state == MediaState.MISSING)
            (chosen if is_chosen else kept).append(one)
        if body.is_missing:
            return _Plan(order=self._library.forgetting.order(chosen, kept, ()), excludes={})
        order = self._library.forgetting.order(chosen, kept, places)
        known = [
            *(path for one in chosen for path in paths_of(one)),
            *order.failures,
            *(r.path for r in roots),
        ]
        known = sorted(map(_closed, known))
        for path, place in zip(paths, places, strict=True):
            first = bisect_left(known, _closed(place))
            if first == len(known) or not known[first].startswith(_closed(place)):
                raise not_in_library(path)
        return _Plan(order=order, excludes=_excludes(places, roots, chosen))

    # Excluding ----------------------------------------------------------------------

    def _exclude(self, body: SetExcludes, call: Call) -> Excluded:
        """The patterns of a root after the change; media that they fit now are missing.

        Raises:
            UserError: the folder is no root, or a pattern to remove is not one of its.
        """
        root = self._root(body.folder.to_bytes())
        add, remove = _patterns(body.add), _patterns(body.remove)
        for pattern in remove:
            if pattern not in root.excludes:
                folder = WirePath.of(root.path).text
                raise UserError(
                    tr(
                        "{path} is not excluded in {folder}.",
                        path=WirePath.of(pattern).text,
                        folder=folder,
                    ),
                    "",
                    tr("Its patterns: cocadesk exclude {folder} --list.", folder=folder),
                )
        patterns = [one for one in (*root.excludes, *add) if one not in remove]
        hidden: list[str] = []
        if patterns != list(root.excludes):
            self._library.roots.exclude(root.path, patterns)
            excludes = Excludes({root.path: add})
            hidden = [one.key for one in self._library.media.present() if excludes.covers(one.path)]
            self._library.media.set_state(hidden, MediaState.MISSING, EXCLUDED)
            self._context.publish(RowsChanged())
        return Excluded(
            folder=WirePath.of(root.path),
            patterns=tuple(map(WirePath.of, dict.fromkeys(patterns))),
            hidden=len(hidden),
        )

    def _root(self, folder: bytes) -> RootRow:
        roots = self._library.roots.all()
        place = _place(folder, roots)
        for root in roots:
            if root.path == place:
                return root
        for root in roots:
            if is_under(place, root.path):
                inside = pattern_of(place, root.path).decode("utf-8", "replace")
                raise UserError(
                    tr("{path} was not added by itself.", path=WirePath.of(folder).text),
                    tr(
                        "It lies in {path}, which holds the patterns.",
                        path=WirePath.of(root.path).text,
                    ),
                    tr("Give that folder, and patterns such as {inside}/*.png.", inside=inside),
                )
        raise not_in_library(folder)


def _empty_logs(library: Path) -> None:
    """Empty the logs of engine and program: a bug's report may hold paths and captions."""
    reports = log_file()
    with contextlib.suppress(OSError):  # there are none where the cache can't be written
        logs = (reports, reports.with_suffix(".old.log"), engine_log(library))
        for path in filter(Path.exists, logs):
            os.truncate(path, 0)


def _place(path: bytes, roots: Iterable[RootRow]) -> bytes:
    """A path as the library spells it: links are resolved unless a root bears the very name."""
    if any(is_under(path, root.path) for root in roots):
        return path
    return os.path.realpath(path)


def _closed(path: bytes) -> bytes:
    """``path`` with a separator at its end: sorted so, what lies in a folder stands behind it."""
    return os.path.join(path, b"")  # noqa: PTH118


def _tops(places: Iterable[bytes]) -> list[bytes]:
    """The places that lie in none of the others, closed and sorted."""
    tops: list[bytes] = []
    for place in sorted(map(_closed, places)):
        if not tops or not place.startswith(tops[-1]):
            tops.append(place)
    return tops


def _is_in(path: bytes, tops: Sequence[bytes]) -> bool:
    """True where ``path`` is one of ``tops`` or lies in it; as quick for many as for one."""
    closed = _closed(path)
    place = bisect_right(tops, closed)
    return place > 0 and closed.startswith(tops[place - 1])


def _patterns(paths: Iterable[WirePath]) -> list[bytes]:
    return [path.to_bytes() for path in paths]


def _excludes(
    places: Sequence[bytes], roots: Iterable[RootRow], chosen: Iterable[Placed]
) -> dict[bytes, list[bytes]]:
    """The patterns that keep forgotten places out of the roots that stay.

    A file that is gone already needs none: another one may take its name some day.
    """
    staying = [r.path for r in roots if not any(is_under(r.path, place) for place in places)]
    missing = (one for one in chosen if one.state == MediaState.MISSING)
    absent = {path for one in missing for path in paths_of(one)}
    files = {path: paths_of(one) for one in chosen if one.parts for path in paths_of(one)}
    whole = dict.fromkeys(path for place in places for path in files.get(place, [place]))
    patterns: dict[bytes, list[bytes]] = {}
    for place in whole:
        root = min((r for r in staying if is_under(place, r)), key=len, default=None)
        is_gone = place in absent and not os.path.lexists(place)
        if root is not None and not is_gone:
            patterns.setdefault(root, []).append(pattern_of(place, root))
    return patterns
