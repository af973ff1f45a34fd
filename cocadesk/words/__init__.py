"""Words for pictures: vocabularies, zero-shot tags, captions, and what people say themselves."""

from cocadesk.words.describe import (
    DescribeReport,
    WantedPicture,
    caption_steps,
    tag_steps,
    tags_from_views,
)
from cocadesk.words.own import HumanWords, Wish, WordsChange, WordsTitles
from cocadesk.words.own_vocabulary import (
    has_own_vocabulary,
    library_vocabulary,
    set_own_vocabulary,
    tags_mark,
)
from cocadesk.words.prompts import (
    PROMPT_TEMPLATES,
    TextEncoder,
    cached_class_vectors,
    class_vectors,
    prompts,
)
from cocadesk.words.scope import keys_in_scope
from cocadesk.words.sidecars import FileAction, PlannedFile, WrittenFiles, plan_write, sidecar_of
from cocadesk.words.steps import WordsProgress, WordsStage
from cocadesk.words.tagging import ZeroShotTagger
from cocadesk.words.vocabulary import Vocabulary, load_vocabulary
from cocadesk.words.write_job import WriteReport, write_steps
from cocadesk.words.writing import KeptFile

__all__ = [
    "PROMPT_TEMPLATES",
    "DescribeReport",
    "FileAction",
    "HumanWords",
    "KeptFile",
    "PlannedFile",
    "TextEncoder",
    "Vocabulary",
    "WantedPicture",
    "Wish",
    "WordsChange",
    "WordsProgress",
    "WordsStage",
    "WordsTitles",
    "WriteReport",
    "WrittenFiles",
    "ZeroShotTagger",
    "cached_class_vectors",
    "caption_steps",
    "class_vectors",
    "has_own_vocabulary",
    "keys_in_scope",
    "library_vocabulary",
    "load_vocabulary",
    "plan_write",
    "prompts",
    "set_own_vocabulary",
    "sidecar_of",
    "tag_steps",
    "tags_from_views",
    "tags_mark",
    "write_steps",
]
