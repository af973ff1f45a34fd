"""Captions and tags in the form that is stored: one line, tidy spaces, composed letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from cocadesk.errors import UserError, grouped, tr
from cocadesk.library.albums import in_words

MAX_CAPTION_LETTERS = 10_000
MAX_TAG_LETTERS = 200
_SHOWN_LETTERS = 40


def one_line(text: str) -> str:
    """``text`` in one line: NFC, each run of spaces and line ends one space, no controls.

    Letters that UTF-8 cannot hold (lone surrogates) become question marks. Joiners
    and direction marks stay: scripts and emoji need them.
    """
    known = text.encode("utf-8", "replace").decode()
    spaced = (" " if letter.isspace() else letter for letter in known)
    plain = "".join(letter for letter in spaced if unicodedata.category(letter) != "Cc")
    return " ".join(unicodedata.normalize("NFC", plain).split())


def caption_of(text: str) -> str:
    """A caption in the form that is stored; empty where nothing is left.

    Raises:
        UserError: it is far too long.
    """
    caption = one_line(text)
    if len(caption) > MAX_CAPTION_LETTERS:
        raise UserError(
            tr("That caption is too long."),
            tr(
                "It has {letters} letters; {most} are the most.",
                letters=grouped(len(caption)),
                most=grouped(MAX_CAPTION_LETTERS),
            ),
            tr("Shorten it."),
        )
    return caption


def tag_of(text: str) -> str:
    """A tag in the form that is stored.

    Raises:
        UserError: nothing is left of it, or it is too long.
    """
    tag = one_line(text)
    if not tag:
        raise UserError(tr("A tag needs at least one letter."), "", tr("Leave the empty tag out."))
    if len(tag) > MAX_TAG_LETTERS:
        raise UserError(
            tr("The tag {tag}… is too long.", tag=tag[:_SHOWN_LETTERS]),
            tr(
                "It has {letters} letters; {most} are the most.",
                letters=grouped(len(tag)),
                most=MAX_TAG_LETTERS,
            ),
            tr("Shorten it, or write it as a caption."),
        )
    return tag


def name_of(text: str, kind: str) -> str:
    """The name of an album (or another ``kind`` of thing) in the form that is stored.

    Raises:
        UserError: nothing is left of it, or it is too long.
    """
    name = one_line(text)
    if not name:
        raise UserError(
            tr("The name of the {kind} is empty.", kind=in_words(kind)),
            "",
            tr("Give it at least one letter."),
        )
    if len(name) > MAX_TAG_LETTERS:
        raise UserError(
            tr("The name {name}… is too long.", name=name[:_SHOWN_LETTERS]),
            tr(
                "It has {letters} letters; {most} are the most.",
                letters=grouped(len(name)),
                most=MAX_TAG_LETTERS,
            ),
            tr("Shorten it."),
        )
    return name


def same_tag(tag: str) -> str:
    """A form that is the same for two tags that differ by case alone."""
    return tag.casefold()


def joined_tags(has: Sequence[str], more: Sequence[str], fewer: Sequence[str]) -> tuple[str, ...]:
    """``has`` and ``more`` without ``fewer``, each once in its first spelling."""
    gone = set(map(same_tag, fewer))
    joined: dict[str, str] = {}
    for tag in (*(tag for tag in has if same_tag(tag) not in gone), *more):
        joined.setdefault(same_tag(tag), tag)
    return tuple(joined.values())
