"""What becomes of a row, and what is said, when suggestions are accepted or rejected."""

from __future__ import annotations

from cocadesk.protocol.messages import DecideSuggestions
from cocadesk.protocol.values import Row, TagValue, changed
from ui.kit.translation import grouped, tr, tr_count


def decided_row(row: Row, body: DecideSuggestions) -> Row:
    """The row as it will be once the engine has taken this decision."""
    if body.captions and row.caption and not row.caption_by_person:
        caption = row.caption if body.accepts else ""
        row = changed(row, caption=caption, caption_by_person=True, caption_score=None)
    if not body.tags:
        return row
    own = tuple(tag for tag in row.tags if tag.by_person)
    suggested = (tag.tag for tag in row.tags if not tag.by_person)
    accepted = tuple(TagValue(tag=tag, by_person=True) for tag in suggested)
    return changed(row, tags=own + accepted if body.accepts else own)


def said_of(body: DecideSuggestions, media: int) -> str:
    """The sentence about a decision that has changed so many media."""
    asked = len(body.keys)
    one, many = _subjects(body)
    if asked == 1:
        if not media:
            return tr("{what}: nothing is suggested here", what=one)
        return tr("{what} accepted", what=one) if body.accepts else tr("{what} rejected", what=one)
    if not media:
        return tr(
            "{what}: nothing is suggested for these {asked} photos",
            what=many,
            asked=grouped(asked),
        )
    left = asked - media
    rest = tr("; {left} had none", left=grouped(left)) if left else ""
    if body.accepts:
        return tr_count(
            media, "{what} accepted on {n} photo{rest}", "{what} accepted on {n} photos{rest}",
            what=many, rest=rest,
        )  # fmt: skip
    return tr_count(
        media, "{what} rejected on {n} photo{rest}", "{what} rejected on {n} photos{rest}",
        what=many, rest=rest,
    )  # fmt: skip


def _subjects(body: DecideSuggestions) -> tuple[str, str]:
    """What was decided on, of one photo and of several."""
    if body.captions and body.tags:
        return tr("Suggested caption and tags"), tr("Suggested captions and tags")
    if body.captions:
        return tr("Suggested caption"), tr("Suggested captions")
    return tr("Suggested tags"), tr("Suggested tags")
