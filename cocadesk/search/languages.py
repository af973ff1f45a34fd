"""Whether a model can be expected to know what a query is written in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

from cocadesk.errors import tr
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
        con cuando del desde donde el ella en entre es esta este la las los mi para pero por que sin
        sobre su un una uno unos y
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
_ENGLISH_TOO_WORDS = "a am as com con die do hun in is me met no over pour sin sob son um"
_ENGLISH_TOO = frozenset(_ENGLISH_TOO_WORDS.split())
"""Words of the lists above that English has as well, or that are typed for something else."""
_NAME_WORDS = """
    als au aus bei che da das de degli del della delle dem den der des di do dos du el ella elle en
    est et gli il la las le les los mi mit mon o para por sans sur te un uno vom von van y zum zur
"""
_OF_NAMES = frozenset(_NAME_WORDS.split())
"""Words that stand in names of people, places and things: alone they tell no language."""
_MANY = 3


def is_foreign_script(word: str) -> bool:
    """True for a word that is not written in Latin letters."""
    return any(map(_is_foreign, word))


def _is_foreign(letter: str) -> bool:
    # "º" and the like are written as small letters; marks as in Hawaiʻi belong to any script.
    if not letter.isalpha() or letter in "ªº" or unicodedata.category(letter) == "Lm":
        return False
    return "LATIN" not in unicodedata.name(letter, "LATIN")


def language_of(text: str) -> str | None:
    """The name of the language that the small words of a text belong to; None for English.

    Two such words tell it, or one between others; not those that names or English have too.
    """
    words = words_of(text)
    counts = {name: _count(own, words) for name, own in _folded().items()}
    language = max(counts, key=lambda name: counts[name])
    english = len(_ENGLISH.intersection(words) - _folded()[language])
    return language if counts[language] > english else None


def _count(own: frozenset[str], words: list[str]) -> int:
    """How many words of a language there are; 0 where they tell nothing."""
    found = own.intersection(words) - _ENGLISH_TOO
    clear = found - _OF_NAMES
    if len(found) >= _MANY or (clear and len(found) > 1) or clear.intersection(words[1:-1]):
        return len(found)
    return 0


@cache
def _folded() -> dict[str, frozenset[str]]:
    return {
        language: frozenset(map(normal, words.split())) for language, words in _WORDS_OF.items()
    }


def what_model_misses(words: Iterable[str], text: str) -> str:
    """A sentence about what of a query the model does not know; empty where all may be known."""
    strange = [word for word in words if is_foreign_script(word)]
    if strange:
        return tr(
            "The model in use knows English and cannot read “{words}”: "
            "only what people wrote and names of files were searched for it.",
            words=" ".join(strange)[:60],
        )
    language = language_of(text)
    if language is not None:
        return tr(
            "This looks like {language}; the model in use knows English, so what pictures show "
            "may fit badly. What people wrote is found in any language.",
            language=_called(language),
        )
    return ""


def _called(language: str) -> str:
    """The name of a language in the person's own."""
    names = {
        "German": tr("German"),
        "French": tr("French"),
        "Spanish": tr("Spanish"),
        "Italian": tr("Italian"),
        "Portuguese": tr("Portuguese"),
        "Dutch": tr("Dutch"),
    }
    return names[language]
