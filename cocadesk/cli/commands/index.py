"""``cocadesk index``: photos and videos of folders into the library, with the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import Options, command, existing_folders
from cocadesk.cli.report import Report, failed_fields

if TYPE_CHECKING:
    from cocadesk.protocol.values import IndexReport


@command()
def index(
    options: Options,
    report: Report,
    folders: Annotated[
        list[str], typer.Argument(metavar="FOLDER", help="Folders, photos, videos.")
    ],
) -> int:
    """Read photos and videos into the library; what is known and unchanged is skipped."""
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import StartIndex
    from cocadesk.protocol.values import IndexReport

    existing = existing_folders(folders)
    with open_engine(options, report, Access.CREATE) as engine:
        done = do_job(engine, StartIndex(folders=existing), report).report
    assert isinstance(done, IndexReport)
    if report.as_json:
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
            }
        )
    else:
        report.line(summary(done))
    report.failures(done.failed)
    return SOME_FAILED if done.failed else OK


def summary(done: IndexReport) -> str:
    """One line of the numbers of an index."""
    videos = f" ({done.videos:,} of them videos)" if done.videos else ""
    parts = [f"{done.indexed:,} indexed{videos}", f"{done.unchanged:,} unchanged"]
    for count, word in (
        (done.moved, "moved"),
        (done.copied, "copied"),
        (done.missing, "missing"),
        (done.offline, "offline"),
        (len(done.failed), "failed"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    if parts == ["0 indexed", "0 unchanged"]:
        return "No photos or videos were found there."
    return f"{', '.join(parts)} in {done.seconds:.1f} s."
