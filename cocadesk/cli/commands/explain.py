"""``cocadesk explain``: where in a photo a text, or each word of its caption, comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report, path_fields
from cocadesk.errors import UserError, tr

if TYPE_CHECKING:
    from cocadesk.protocol.messages import Explained


@command()
def explain(
    options: Options,
    report: Report,
    photo: Annotated[str, typer.Argument(metavar=tr("PHOTO"), help=tr("A photo or video."))],
    text: Annotated[
        str,
        typer.Argument(
            metavar=tr("[TEXT]"),
            help=tr("Where is this? Without it: each word of the photo's caption."),
        ),
    ] = "",
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option(
            "--out",
            metavar="FILE.jpg",
            help=tr("The picture to write; one that is there stays. Else PHOTO-where.jpg, here."),
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help=tr("Write over the file that --out names."))
    ] = False,
) -> int:
    """Show where in a photo a text, or each word of its caption, comes from."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import Explain, Explained
    from cocadesk.protocol.paths import WirePath

    path = os.path.abspath(os.fsencode(photo))  # noqa: PTH100 - bytes
    sheet = _new_file(os.fsdecode(path), out, overwrite=overwrite)
    _spare(path, sheet)
    temporary = sheet.with_name(f"{sheet.name}.{os.getpid()}.new") if overwrite else sheet
    body = Explain(
        path=WirePath.of(path),
        text=text.strip(),
        is_caption=not text.strip(),
        sheet=WirePath.of(temporary),
    )
    with open_engine(options, report, Access.OPTIONAL) as engine:
        found = engine.ask(body, Explained)
    if temporary != sheet:
        temporary.replace(sheet)
    _tell(report, WirePath.of(path), found, sheet)
    return OK


def _tell(report: Report, path: Any, found: Explained, sheet: Path) -> None:
    from cocadesk.protocol.paths import WirePath

    report.line(found.text)
    for heat in found.heats:
        where = tr("no part more than the others") if heat.is_spread else _place(*heat.peak)
        report.line(f"  {heat.text}: {where}")
    if not found.is_shown:
        report.note(
            tr(
                "This photo probably does not show “{found}”: bright is only what is least "
                "unlike it.",
                found=found.text,
            )
        )
    report.line(tr("Written: {path}", path=WirePath.of(sheet).text))
    report.document(
        {
            **path_fields(path),
            "text": found.text,
            "likely": found.likely,
            "seen": list(found.seen),
            "maps": [
                {
                    "text": heat.text,
                    "points_nowhere": heat.is_spread,
                    "peak": [round(share, 4) for share in heat.peak],
                    "grid": [list(row) for row in heat.grid],
                }
                for heat in found.heats
            ],
            "picture": str(WirePath.of(sheet).text),
        }
    )


def _new_file(photo: str, out: Path | None, *, overwrite: bool) -> Path:
    """The file to write, absolute: the one named, else one that is not there yet.

    Raises:
        UserError: the one named is there already, or its folder is not.
    """
    if out is None:
        stem = Path(photo).stem
        names = (f"{stem}-where{number}.jpg" for number in ("", *map(str, range(2, 10_000))))
        return next(Path.cwd() / name for name in names if not os.path.lexists(name))
    out = Path(os.path.abspath(out))  # noqa: PTH100 - keeps links as given
    if not out.parent.is_dir():
        raise UserError(
            tr("There is no folder {parent}.", parent=out.parent),
            "",
            tr("Make it, or name another."),
        )
    if out.is_dir() or (os.path.lexists(out) and not overwrite):
        raise UserError(
            tr("{out} is there already.", out=out),
            tr("Nothing was written over it."),
            tr("Give another name, or add --overwrite."),
        )
    return out


def _spare(photo: bytes, out: Path) -> None:
    """Nothing where another file than the photo is to be written.

    Raises:
        UserError: it is the photo, perhaps by another name.
    """
    try:
        is_photo = out.samefile(os.fsdecode(photo))
    except OSError:  # one of them is not there
        return
    if is_photo:
        raise UserError(
            tr("{out} is the photo itself.", out=out),
            tr("A photo is never written over."),
            tr("Give another name."),
        )


def _place(across: float, down: float) -> str:
    """A place in words, by thirds."""
    row = ("top", "middle", "bottom")[min(2, int(down * 3))]
    column = ("left", "centre", "right")[min(2, int(across * 3))]
    return "centre" if (row, column) == ("middle", "centre") else f"{row} {column}"
