"""Sentences for people: in their language, and the one error that is meant for them."""

from __future__ import annotations

import errno
import gettext
import os
import re
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_catalogue = gettext.NullTranslations()
_AS_GIVEN = frozenset({"file", "folder", "name", "names", "record", "run", "source"})
"""Values of kept texts that are people's own words: a folder may be called as a text of ours."""
_retold: dict[str, str] = {}


def speak(
    catalogue: gettext.NullTranslations, kept_texts: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Lets ``tr`` speak another language than English, and ``retold`` with ``kept_texts``.

    Texts at the top of modules are translated when those are imported: call it before.
    """
    global _catalogue
    _catalogue = catalogue
    _retold.clear()
    _retold.update(kept_texts)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """What a text with ``{name}`` looks like once it is filled in; a ``{number}`` has digits."""
    parts = string.Formatter().parse(text)
    return re.compile(
        "".join(
            re.escape(before)
            + (f"(?P<{name}>{'[0-9,]+' if name == 'number' else '.+?'})" if name else "")
            for before, name, *_ in parts
        ),
        re.DOTALL,
    )


def kept(text: str, /, **values: object) -> str:
    """The English text, filled in as ``tr`` does, for what is stored; ``retold`` shows it.

    So a library reads the same whatever language the program spoke when it wrote. A value that
    is kept itself is retold, too, but for a person's words (``_AS_GIVEN``).
    """
    return text.format(**values) if values else text


def retold(sentence: str) -> str:
    """A sentence that ``kept`` made, in the person's language; any other one as it is."""
    if (said := _retold.get(sentence)) is not None:
        return said
    for english, said in _retold.items():
        if "{" in english and (found := _pattern(english).fullmatch(sentence)):
            parts = found.groupdict().items()
            return said.format(
                **{name: part if name in _AS_GIVEN else retold_parts(part) for name, part in parts}
            )
    if re.fullmatch(r"\d{1,3}(,\d{3})+", sentence):
        return grouped(int(sentence.replace(",", "")))
    return sentence


def retold_parts(message: str) -> str:
    """A message of several kept sentences, or of parts between commas: each one retold.

    A part may be a number with kept words behind it: "3 described, 2 already known.".
    """
    if (said := retold(message)) != message:
        return said
    sentences = re.split(r"(?<=[.!?]) ", message)
    if len(sentences) > 1:
        return " ".join(map(retold_parts, sentences))
    parts = message.removesuffix(".").split(", ")
    return ", ".join(map(_retold_part, parts)) + "." * message.endswith(".")


def _retold_part(part: str) -> str:
    if (said := retold(part)) != part:
        return said
    number, between, words = part.partition(" ")
    is_number = number.replace(",", "").isdecimal()
    return retold(number) + between + retold(words) if is_number else part


def tr(text: str, /, **values: object) -> str:
    """The text in the person's language, with ``{name}`` filled in from ``values``.

    ``text`` is the English one, written out where it stands, so that ``make translations``
    finds it. Numbers come through ``grouped``. Without values, braces stay as they are.
    """
    said = _catalogue.gettext(text) if text else ""
    return said.format(**values) if values else said


def tr_help(text: str) -> str:
    """The docstring of a command in the person's language, by paragraphs; a line each.

    ``make translations`` finds those of functions that are commands.
    """
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(_catalogue.gettext(part) for part in paragraphs if part)


def tr_as(context: str, text: str, /, **values: object) -> str:
    """As ``tr``, for a short word that other languages say in more than one way.

    ``context`` tells translators which is meant: "verb", "a button".
    """
    said = _catalogue.pgettext(context, text)
    return said.format(**values) if values else said


def tr_count(number: int, one: str, many: str, /, **values: object) -> str:
    """The text that fits the number, which stands for ``{n}``: ``1 photo``, ``1,204 photos``."""
    return _catalogue.ngettext(one, many, number).format(n=grouped(number), **values)


def grouped(number: int) -> str:
    """A number as people write it: ``1,204``; in German ``1.204``."""
    return f"{number:,}".replace(",", tr_as("between thousands", ","))


def decimal(number: float, places: int = 1) -> str:
    """A number with a fraction as people write it: ``3.4``; in German ``3,4``."""
    return f"{number:.{places}f}".replace(".", tr_as("before a fraction", "."))


class UserError(Exception):
    """Something the person can understand and act on.

    ``what`` says what did not work, ``why`` gives the reason, ``what_to_do``
    the next step; each is a sentence or empty. The edges (command line,
    window) show it without a traceback; every other exception is a bug and
    keeps its traceback in the log.
    """

    def __init__(self, what: str, why: str = "", what_to_do: str = "") -> None:
        what, why, what_to_do = retold(what), retold(why), retold(what_to_do)
        super().__init__(" ".join(part for part in (what, why, what_to_do) if part))
        self.what = what
        self.why = why
        self.what_to_do = what_to_do


def refused_by_disk(what: str, number: int | None) -> UserError | None:
    """The sentence for a disk that takes nothing more, after its error number; else None.

    ``what`` says what could not be done, without a stop.
    """
    reasons = {
        errno.ENOSPC: tr("the disk is full"),
        errno.EDQUOT: tr("the disk's quota is used up"),
        errno.EROFS: tr("the disk is read-only"),
    }
    reason = reasons.get(number or 0)
    if reason is None:
        return None
    return UserError(
        f"{what}: {reason}.",
        tr("What was committed before is kept."),
        tr("Free some space and try again; the work goes on where it stopped.")
        if number != errno.EROFS
        else tr("Let the disk be written to, or choose another with --library."),
    )


def disk_error(error: BaseException) -> UserError | None:
    """The sentence for a disk that takes nothing more; None where something else is wrong."""
    if not isinstance(error, OSError):
        return None
    name = os.fsdecode(error.filename) if error.filename else tr("A file")
    return refused_by_disk(tr("{name} can't be written", name=name), error.errno)


def closed_to_us(path: Path) -> UserError:
    """The error for a file of the library that the system does not let us read."""
    return UserError(
        tr("The library's file {path} is closed to you.", path=path),
        tr("It belongs to another user; perhaps CocaDesk was once run as the superuser."),
        tr("Give the library's folder back to yourself (chown -R), then try again."),
    )
