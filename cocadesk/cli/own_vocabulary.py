"""``cocadesk words vocabulary``: the tags that the machine chooses from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.cli import session
from cocadesk.cli.guard import OK
from cocadesk.cli.options import Options, cache_folder
from cocadesk.cli.own_place import OwnPlace, follow, place_for_own_words
from cocadesk.cli.own_writing import run_steps
from cocadesk.cli.report import Report
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.library import Library


def vocabulary(options: Options, report: Report, file: Path | None, shipped: bool) -> int:
    """Prints the tags in use, or sets others and tags all photos anew."""
    if file is None and not shipped:
        return _show(options, report, tagged=None)
    if file is not None and shipped:
        raise UserError("Choose one: a file of your own tags, or --shipped.")
    from cocadesk.annotations import load_vocabulary

    tags = load_vocabulary(file).tags if file is not None else ()
    with place_for_own_words(options) as place:
        tagged = _set(options, report, place, tags)
    return _show(options, report, tagged=tagged)


def _show(options: Options, report: Report, *, tagged: int | None) -> int:
    from cocadesk.annotations import has_own_vocabulary, library_vocabulary

    session.check_library(options)
    tags = library_vocabulary(options.library).tags
    is_own = has_own_vocabulary(options.library)
    if report.as_json:
        counted = {} if tagged is None else {"tagged": tagged}
        report.document({"tags": list(tags), "is_own": is_own, **counted})
    elif tagged is None:
        report.note(f"{_tags(len(tags))}{' of your own' if is_own else ''}:")
        for tag in tags:
            report.line(tag)
    else:
        whose = "of your own" if is_own else "that ship with CocaDesk"
        report.line(f"{_tags(len(tags))} {whose}; photos and videos tagged anew: {tagged:,}.")
    return OK


def _tags(count: int) -> str:
    return f"{count:,} {'tag' if count == 1 else 'tags'}"


def _set(options: Options, report: Report, place: OwnPlace, tags: tuple[str, ...]) -> int:
    """Keeps the tags and tags all photos anew; gives how many."""
    if place.engine is not None:
        from cocadesk.protocol.messages import SetVocabulary
        from cocadesk.protocol.values import CaptionReport

        end = follow(place.engine, SetVocabulary(tags=tags), report)
        return end.report.described if isinstance(end.report, CaptionReport) else 0
    from cocadesk.annotations import set_own_vocabulary

    set_own_vocabulary(options.library, tags)
    return _tag(options, report, place.library)


def _tag(options: Options, report: Report, library: Library) -> int:
    from cocadesk.annotations import ZeroShotTagger, library_vocabulary, tag_steps
    from cocadesk.search import keys_in_scope

    keys = keys_in_scope(library, (), ())
    if not keys:
        return 0
    with session.open_model(options) as backend:
        cache = cache_folder() / "text-vectors"
        tagger = ZeroShotTagger(backend, library_vocabulary(options.library), cache=cache)
        steps = tag_steps(library, backend.info().image_id, tagger, keys)
        return run_steps(steps, report, "Tagging photos and videos").described
