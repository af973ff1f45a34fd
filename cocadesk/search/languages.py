"""Whether a model can be expected to know what a query is written in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from cocadesk.library.words import normal, words_of

_WORDS_OF = {
    "German": """
        aber als am auf aus bei beim das dem den der des die ein eine einem einen einer eines fuer
        für im ist mein meine mit nach oder ohne sich sind und unter vom von vor zum zur zwischen
        über neben
    """,
    "French": """
        au aux avec ce cette chez dans des du elle est et il la le les leur mais mon nous ou par pas
        pour qui sans ses son sous sur un une vous
    """,
    "Spanish": """
        con cuando del desde donde el ella en entre es esta este las los mi para pero por que sin
        sobre su una uno unos y
    """,
    "Italian": """
        che con da dal degli dei del della delle di gli il nel nella per sono sotto su sul sulla tra
        un una uno
    """,
    "Portuguese": """
        ao com da das do dos em entre na nas no nos o os para por sem sob sobre um uma
    """,
    "Dutch": """
        aan bij de een en het hun ik in met naar niet of onder op over te tussen uit van voor zijn
        zonder
    """,
}
_ENGLISH_WORDS = """
    a an and are as am at behind by do for from her his i in into is it its me my near no of off on
    or our over some that the their this to under up was were with without
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())


def is_foreign_script(word: str) -> bool:
    """True for a word that is not written in Latin letters."""
    return any(
        letter.isalpha() and "LATIN" not in unicodedata.name(letter, "LATIN") for letter in word
    )


def language_of(text: str) -> str | None:
    """The name of the language that the small words of a text belong to; None for English.

    Also where they belong to none: names and single words tell nothing.
    """
    words = words_of(text)
    if len(words) < 2:
        return None
    counts = {language: len(own.intersection(words)) for language, own in _folded().items()}
    language = max(counts, key=lambda name: counts[name])
    english = len(_ENGLISH.intersection(words))
    return language if counts[language] > english else None


def _folded() -> dict[str, frozenset[str]]:
    return {
        language: frozenset(map(normal, words.split())) for language, words in _WORDS_OF.items()
    }


def what_model_misses(words: Iterable[str], text: str) -> str:
    """A sentence about what of a query the model does not know; empty where all may be known."""
    strange = [word for word in words if is_foreign_script(word)]
    if strange:
        shown = " ".join(strange)[:60]
        return (
            f"The model in use knows English and cannot read “{shown}”: "
            "only what people wrote and names of files were searched for it."
        )
    language = language_of(text)
    if language is not None:
        return (
            f"This looks like {language}; the model in use knows English, so what pictures show "
            "may fit badly. What people wrote is found in any language."
        )
    return ""
