"""What a query is written in, and what of it the model cannot read."""

from __future__ import annotations

import pytest

from cocadesk.search.languages import is_foreign_script, language_of, what_model_misses


@pytest.mark.parametrize(
    "text",
    [
        "son playing football", "van gogh painting", "los angeles skyline", "die cast cars",
        "rio de janeiro", "pour coffee", "Leonardo da Vinci statue", "Ludwig van Beethoven",
        "Ursula von der Leyen", "Big Sur beach", "MIT campus", "en suite bathroom", "Ida", "",
        "a statue on the Place de la Concorde", "Las Vegas at night", "Charles de Gaulle airport",
        "ET poster", "my son in the pool", "no dog", "two men in a boat over the sea",
    ],
)  # fmt: skip
def test_names_and_english_words_are_no_other_language(text: str) -> None:
    """A word that another language has too tells nothing."""
    assert language_of(text) is None
    assert what_model_misses(text.split(), text) == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ein Hund auf der Wiese", "German"),
        ("Katze neben Hund", "German"),
        ("ein Mann mit Hut", "German"),
        ("une femme avec un chapeau", "French"),
        ("un hombre con un perro en la playa", "Spanish"),
        ("una donna sulla spiaggia", "Italian"),
        ("um gato sobre uma mesa", "Portuguese"),
        ("een hond op het strand", "Dutch"),
    ],
)
def test_other_languages_are_told_by_their_small_words(text: str, language: str) -> None:
    """Two of them, or one between others."""
    assert language_of(text) == language


@pytest.mark.parametrize(
    "word", ["Hawaiʻi", "nº", "1ª", "Ærø", "naïve", "ŁÓDŹ", "O’Neill", "12:30"]
)
def test_latin_letters_with_marks_are_read(word: str) -> None:
    """Neither a mark beside letters nor an ordinal is another script."""
    assert not is_foreign_script(word)


@pytest.mark.parametrize("word", ["собака", "犬", "ラーメン", "כלב", "xπ"])
def test_other_scripts_are_not(word: str) -> None:
    """One such letter is enough."""
    assert is_foreign_script(word)
