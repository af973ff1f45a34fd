"""Values of a medium's fields in words and units for people."""

from __future__ import annotations

from cocadesk.errors import tr
from cocadesk.library.rows import MediaRow

ABOVE = "|"
"""Stands in a keyword's path behind each keyword that is above another."""
BETWEEN_NAMES = ", "


def place_text(*names: str | None) -> str | None:
    """Place, region and country, those that are known."""
    return BETWEEN_NAMES.join(name for name in names if name) or None


def zone_text(row: MediaRow) -> str | None:
    """The time zone in which a medium was taken, by its distance to UTC."""
    minutes = row.utc_offset_min
    if minutes is None or row.taken is None:
        return None
    hours, rest = divmod(abs(minutes), 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"


def exposure_text(row: MediaRow) -> str | None:
    """Time, aperture, sensitivity and focal length in one line, as photographers say them."""
    time_s = row.exposure_s
    parts = [
        time_s and (f"1/{1 / time_s:.0f} s" if time_s < 0.4 else f"{time_s:g} s"),
        row.aperture and f"f/{row.aperture:.3g}",
        row.iso and f"ISO {row.iso}",
        row.focal_mm and f"{row.focal_mm:.4g} mm",
    ]
    return BETWEEN_NAMES.join(part for part in parts if part) or None


def keywords_text(row: MediaRow) -> str:
    """Keywords, those with others above them behind these."""
    paths = {path.split(ABOVE)[-1]: path.replace(ABOVE, " › ") for path in row.keyword_paths}
    texts = [*(paths.get(keyword, keyword) for keyword in row.keywords), *paths.values()]
    return BETWEEN_NAMES.join(dict.fromkeys(texts))


def said_by_file(row: MediaRow) -> str | None:
    """The file's rating where the person's is another."""
    if row.rating is None or row.human_rating is None or row.rating == row.human_rating:
        return None
    return tr("rejected") if row.rating < 0 else tr("{stars} of 5", stars=row.rating)
