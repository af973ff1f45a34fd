"""Sentences that are stored in English and shown in the person's language."""

from __future__ import annotations

import gettext
from collections.abc import Iterator

import pytest

from cocadesk import errors
from cocadesk.errors import UserError, kept, retold
from cocadesk.resources import use_language


@pytest.fixture
def german() -> Iterator[None]:
    """The person reads German."""
    use_language("de")
    yield
    errors.speak(gettext.NullTranslations())


def test_what_is_kept_is_english_whatever_the_language_is(german: None) -> None:
    """So a library can be read by another person, and by a program that speaks otherwise."""
    assert kept("The file is empty.") == "The file is empty."
    assert kept("This is no photo but {kind}.", kind="a program").endswith("a program.")


def test_a_kept_sentence_is_retold_with_its_values(german: None) -> None:
    """Values that are words are retold too, and numbers are grouped as the language does."""
    assert retold("The file is empty.") == "Die Datei ist leer."
    told = retold(kept("This is no photo but {kind}.", kind=kept("a ZIP archive")))
    assert told == "Das ist kein Foto, sondern ein ZIP-Archiv."
    assert retold("The file has 12,345 MB; the limit is 500 MB.") == (
        "Die Datei hat 12.345 MB; die Grenze ist 500 MB."
    )


@pytest.mark.parametrize("text", ["", "Nobody said this.", "{name}", "The file is (empty"])
def test_any_other_sentence_stays(german: None, text: str) -> None:
    """What an older program stored, or another one said, is shown as it is."""
    assert retold(text) == text


def test_an_error_speaks_the_persons_language(german: None) -> None:
    """A reason that comes from a decoder is part of a sentence for the person."""
    error = UserError("The photo decoder cannot start.", kept("The file is empty."))
    assert str(error) == "Der Dekodierer für Fotos kann nicht starten. Die Datei ist leer."


def test_english_is_left_as_it_is() -> None:
    """Nothing is looked up where nothing was translated."""
    assert retold("The file has 12,345 MB; the limit is 500 MB.").startswith("The file has 12,345")
