"""What becomes of a row, and what is said, when suggestions are accepted or rejected."""

from __future__ import annotations

from cocadesk.protocol.messages import DecideSuggestions
from cocadesk.protocol.values import Row, TagValue, changed
from ui.kit.texts import count


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
    done = "accepted" if body.accepts else "rejected"
    if asked == 1:
        what = _subject(body, "caption")
        return f"{what} {done}" if media else f"{what}: nothing is suggested here"
    what = _subject(body, "captions")
    if not media:
        return f"{what}: nothing is suggested for these {count(asked, 'photo')}"
    left = asked - media
    rest = f"; {left:,} had none" if left else ""
    return f"{what} {done} on {count(media, 'photo')}{rest}"


def _subject(body: DecideSuggestions, captions: str) -> str:
    if body.captions and body.tags:
        return f"Suggested {captions} and tags"
    return f"Suggested {captions if body.captions else 'tags'}"
