"""Words for pictures: vocabularies and zero-shot tags."""

from cocadesk.words.prompts import (
    PROMPT_TEMPLATES,
    TextEncoder,
    cached_class_vectors,
    class_vectors,
    prompts,
)
from cocadesk.words.tagging import ZeroShotTagger
from cocadesk.words.vocabulary import Vocabulary, load_vocabulary

__all__ = [
    "PROMPT_TEMPLATES",
    "TextEncoder",
    "Vocabulary",
    "ZeroShotTagger",
    "cached_class_vectors",
    "class_vectors",
    "load_vocabulary",
    "prompts",
]
