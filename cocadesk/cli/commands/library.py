"""``cocadesk index``, ``search`` and ``info``: the library filled, searched and told about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import FilterOption, Options, absolute_paths, command, existing_folders
from cocadesk.cli.report import Report, clock, failed_fields, path_fields
from cocadesk.cli.words import fact, word
from cocadesk.errors import UserError, decimal, grouped, tr, tr_count

if TYPE_CHECKING:
    from cocadesk.protocol.messages import Hits, ModelUpdate
    from cocadesk.protocol.values import Hit, IndexReport, ModelValue


@command()
def index(
    options: Options,
    report: Report,
    folders: Annotated[
        list[str], typer.Argument(metavar=tr("FOLDER"), help=tr("Folders, photos, videos."))
    ],
    again: Annotated[
        Literal["nothing", "failed", "all"],
        typer.Option(help=tr("Read files that have not changed: those that failed, or all.")),
    ] = "nothing",
    ray: Annotated[
        bool, typer.Option("--ray", help=tr("Read with workers of Ray, one for each processor."))
    ] = False,
    ray_workers: Annotated[
        int, typer.Option(metavar="N", min=0, help=tr("Read with so many workers of Ray."))
    ] = 0,
    ray_address: Annotated[
        str,
        typer.Option(
            metavar=tr("ADDRESS"),
            help=tr(
                "Read on a Ray cluster (HOST:PORT, or auto) that sees the files at their paths."
            ),
        ),
    ] = "",
) -> int:
    """Read photos and videos into the library; what is known and unchanged is skipped."""
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.job_values import RayValue
    from cocadesk.protocol.messages import StartIndex
    from cocadesk.protocol.values import IndexReport, ReadAgain

    # A library knows folders whose disk is away; without one, each name must be right.
    is_known = (options.library / "library.json").exists()
    paths = absolute_paths(folders) if is_known else existing_folders(folders)
    is_on_ray = ray or ray_workers > 0 or bool(ray_address)
    workers = RayValue(workers=ray_workers, address=ray_address) if is_on_ray else None
    order = StartIndex(folders=paths, again=ReadAgain(again), ray=workers)
    with open_engine(options, report, Access.CREATE) as engine:
        done = do_job(engine, order, report).report
    assert isinstance(done, IndexReport)
    report.document(
        {
            "indexed": done.indexed,
            "unchanged": done.unchanged,
            "failed": failed_fields(done.failed),
            "seconds": round(done.seconds, 3),
            "moved": done.moved,
            "copied": done.copied,
            "missing": done.missing,
            "offline": done.offline,
            "videos": done.videos,
            "refreshed": done.refreshed,
        }
    )
    report.line(summary(done))
    report.notes(done.notes)
    report.failures(done.failed)
    return SOME_FAILED if done.failed else OK


@command()
def search(
    options: Options,
    report: Report,
    query: Annotated[
        str,
        typer.Argument(
            metavar=tr("QUERY"),
            help=tr('What to look for, e.g. "a dog on a beach" or "a dog kind:video".'),
        ),
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, help=tr("How many results."))] = 50,
    filter_text: FilterOption = "",
    collapse: Annotated[
        bool,
        typer.Option(
            "--collapse/--no-collapse",
            help=tr("Of copies, same pictures and bursts (see duplicates) only the best hit."),
        ),
    ] = False,
    sort: Annotated[
        Literal["relevance", "taken", "added", "name", "size", "rating"],
        typer.Option(help=tr("The order of the results.")),
    ] = "relevance",
    reverse: Annotated[bool, typer.Option("--reverse", help=tr("Turn the order round."))] = False,
    no_dates: Annotated[
        bool, typer.Option("--no-dates", help=tr('Take "summer 2016" as words, not as a time.'))
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help=tr("Also those that probably do not show it."))
    ] = False,
) -> int:
    """Find the photos and videos that fit a description, best first.

    Words are looked for in tags, captions, albums and names too. -word: not that; 2:word: that
    twice as much; "a phrase" must stand in the words; like:PATH: what looks like this photo.
    """
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import Hits, Search
    from cocadesk.protocol.paths import WirePath
    from cocadesk.protocol.values import GroupLabel, SortKey

    text = query.encode("utf-8", "replace").decode().strip()
    if not text:
        raise UserError(
            tr("There is nothing to search for."), tr("The query is empty."), tr("Give words.")
        )
    with open_engine(options, report) as engine:
        level = GroupLabel.BURST if collapse else None
        body = Search(
            text=text,
            limit=limit,
            filter=filter_text,
            collapse=level,
            sort=SortKey(sort),
            is_reversed=reverse,
            as_words=(text,) if no_dates else (),
            folder=WirePath.of(Path.cwd()),
        )
        found = engine.ask(body, Hits)
    return show_hits(report, found, is_all=show_all)


def show_hits(report: Report, found: Hits, *, is_all: bool = True) -> int:
    """The answer to a search, best first; what the model does not believe only with ``is_all``.

    A document has all of them.
    """
    hits, notices = found.hits, update_notices(found.update)
    document: dict[str, Any] = {"results": [_hit_fields(hit) for hit in hits]}
    document |= {"notices": notices} if notices else {}
    document |= {"note": found.note} if found.note else {}
    if found.read_as:
        document["read_as"] = [{"text": r.text, "filter": r.filter} for r in found.read_as]
    report.document(document)
    report.notes([*notices, *([found.note] if found.note else [])])
    report.notes(
        [
            tr("“{text_}” is read as {filter} (--no-dates).", text_=r.text, filter=r.filter)
            for r in found.read_as
        ]
    )
    if not hits and not notices:
        report.line(tr("Nothing in the library fits."))
    believed = [hit for hit in hits if hit.relevant]
    for hit in believed:
        _show_hit(report, hit)
    rest = [hit for hit in hits if not hit.relevant]
    if rest:
        report.line(_doubt(len(rest), is_after_others=bool(believed), is_all=is_all))
    for hit in rest if is_all else ():
        _show_hit(report, hit)
    return OK


def _doubt(number: int, *, is_after_others: bool, is_all: bool) -> str:
    """The line before the hits that the model does not believe, or in their place."""
    if is_all and is_after_others:
        return tr("— the model does not believe that the rest shows it —")
    if is_all:
        return tr("Nothing here shows that, as far as the model can tell.")
    if is_after_others:
        return tr_count(
            number,
            "— the model does not believe that the rest shows it ({n} more with --all) —",
            "— the model does not believe that the rest shows it ({n} more with --all) —",
        )
    return tr_count(
        number,
        "Nothing here shows that, as far as the model can tell ({n} more with --all).",
        "Nothing here shows that, as far as the model can tell ({n} more with --all).",
    )


def _show_hit(report: Report, hit: Hit) -> None:
    place = hit.path.text
    if hit.time_s is not None:
        place = tr("{video} at {time}", video=place, time=clock(hit.time_s))
    parts = [
        f"{decimal(hit.score, 3):>6}" if hit.score else "",  # filters alone give none
        place,
        tr_count(hit.copies, "(+{n} of its group)", "(+{n} of its group)") if hit.copies else "",
        hit.caption or "",
        f"[{', '.join(map(word, hit.by))}]" if hit.by and hit.by != ("picture",) else "",
    ]
    report.line("  ".join(part for part in parts if part))


@command()
def info(options: Options, report: Report) -> int:
    """Say what the library holds and which model is in use."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import GetInfo, Info

    with open_engine(options, report) as engine:
        answer = engine.ask(GetInfo(waits=True), Info)
    counts, model = answer.counts, answer.model
    document = {
        "media": counts.media,
        "photos": counts.photos,
        "videos": counts.videos,
        "views": counts.views,
        "missing": counts.missing,
        "offline": counts.offline,
        "failed": counts.failed,
        "model": model.model_id or model.image_id,
        "schema": answer.schema,
        "device": model.device,
        "precision": model.precision,
        "reason": model.reason,
        "model_source": model.source,
        **_caption_fields(model),
        "tags_fitted": model.are_tags_fitted,
        "library": answer.folder.to_str(),
        "without_vectors": counts.without_vectors,
    }
    notices = [*answer.notices, *update_notices(answer.update)]
    if not model.are_tags_fitted:
        notices.append(_UNFITTED)
    report.document({**document, "notices": notices})
    # A text that is empty says nothing: the model that searches captions too, or is not open.
    shown = {
        fact(name.replace("_", " ")): word(value) for name, value in document.items() if value != ""
    }
    width = max(map(len, shown))
    for name, said in shown.items():
        report.line(f"{name:<{width}}  {said}")
    if counts.without_vectors and answer.update is None:
        report.line(
            tr_count(
                counts.without_vectors,
                "{n} without vectors: index again.",
                "{n} without vectors: index again.",
            )
        )
    for notice in notices:
        report.line(notice)
    return OK


_UNFITTED = tr(
    "How likely tags and hits fit was measured with the starter: for this model it is a guess."
)


def _caption_fields(model: ModelValue) -> dict[str, str]:
    """The model that writes captions: the one that searches, or another."""
    other = model.captions
    return {
        "caption_model": model.model_id if other is None else other.model_id,
        "caption_source": model.source if other is None else other.source,
        "caption_reason": "" if other is None else other.reason,
    }


def update_notices(update: ModelUpdate | None) -> list[str]:
    """The state of the reading for a starter that came with an update, and how it goes on."""
    if update is None:
        return []
    return [
        tr(
            "{update} Once a window was opened this goes on until all are read, also "
            "after it is closed; cocadesk index FOLDER does it too.",
            update=update.text,
        )
    ]


def summary(done: IndexReport) -> str:
    """One line of the numbers of an index; details are those of unchanged and of moved files."""
    indexed = tr("{number} indexed", number=grouped(done.indexed))
    if done.videos:
        videos = tr_count(done.videos, "{n} of them videos", "{n} of them videos")
        indexed = f"{indexed} ({videos})"
    unchanged = tr("{number} unchanged", number=grouped(done.unchanged))
    others = [
        text
        for count, text in (
            (done.moved, tr("{number} moved", number=grouped(done.moved))),
            (done.copied, tr("{number} copied", number=grouped(done.copied))),
            (done.missing, tr("{number} missing", number=grouped(done.missing))),
            (done.offline, tr("{number} offline", number=grouped(done.offline))),
            (len(done.failed), tr("{number} failed", number=grouped(len(done.failed)))),
            (
                done.refreshed,
                tr("{number} with details read again", number=grouped(done.refreshed)),
            ),
        )
        if count
    ]
    if not (done.indexed or done.unchanged or others):
        return tr("No photos or videos were found there.")
    counts = ", ".join((indexed, unchanged, *others))
    return tr("{counts} in {seconds} s.", counts=counts, seconds=decimal(done.seconds))


def _hit_fields(hit: Hit) -> dict[str, Any]:
    return {
        **path_fields(hit.path),
        "score": hit.score,
        "rank": hit.rank,
        "by": list(hit.by),
        "caption": hit.caption,
        "time": hit.time_s,
        "moments": [{"time": moment.time_s, "score": moment.score} for moment in hit.moments],
        "copies": hit.copies,
        "parts": [{**path_fields(part.path), "role": part.role} for part in hit.parts],
        "relevant": hit.relevant,
        "probability": hit.probability,
    }
