"""Words for pictures: vocabularies, zero-shot tags, captions, and what people say themselves.

Importing this package is cheap: what works on the library is imported when it is
first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, FailedMedium
from cocadesk.annotations.prompts import (
    PROMPT_TEMPLATES,
    TextEncoder,
    cached_class_vectors,
    class_vectors,
    prompts,
)
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import (
    Vocabulary,
    has_custom_vocabulary,
    library_vocabulary,
    load_vocabulary,
    set_custom_vocabulary,
    tagger_version,
)

if TYPE_CHECKING:
    from cocadesk.annotations.describe import (
        Describer,
        DescribeReport,
        MediaDescriber,
        WantedPicture,
        caption_steps,
        is_as_indexed,
        tag_steps,
        tags_from_views,
    )
    from cocadesk.annotations.human import (
        AnnotationChange,
        AnnotationEdit,
        HumanAnnotations,
        UndoTitles,
    )
    from cocadesk.annotations.sidecar_job import WriteReport, write_steps
    from cocadesk.annotations.sidecar_journal import SkippedFile
    from cocadesk.annotations.sidecars import (
        FileAction,
        PlannedFile,
        WrittenFiles,
        plan_write,
        sidecar_of,
    )

_LATER = {
    "DescribeReport": "describe",
    "Describer": "describe",
    "MediaDescriber": "describe",
    "is_as_indexed": "describe",
    "FileAction": "sidecars",
    "HumanAnnotations": "human",
    "SkippedFile": "sidecar_journal",
    "PlannedFile": "sidecars",
    "WantedPicture": "describe",
    "AnnotationEdit": "human",
    "AnnotationChange": "human",
    "UndoTitles": "human",
    "WriteReport": "sidecar_job",
    "WrittenFiles": "sidecars",
    "caption_steps": "describe",
    "plan_write": "sidecars",
    "sidecar_of": "sidecars",
    "tag_steps": "describe",
    "tags_from_views": "describe",
    "write_steps": "sidecar_job",
}

__all__ = [
    "PROMPT_TEMPLATES",
    "AnnotationChange",
    "AnnotationEdit",
    "AnnotationProgress",
    "AnnotationStage",
    "DescribeReport",
    "Describer",
    "FailedMedium",
    "FileAction",
    "HumanAnnotations",
    "MediaDescriber",
    "PlannedFile",
    "SkippedFile",
    "TextEncoder",
    "UndoTitles",
    "Vocabulary",
    "WantedPicture",
    "WriteReport",
    "WrittenFiles",
    "ZeroShotTagger",
    "cached_class_vectors",
    "caption_steps",
    "class_vectors",
    "has_custom_vocabulary",
    "is_as_indexed",
    "library_vocabulary",
    "load_vocabulary",
    "plan_write",
    "prompts",
    "set_custom_vocabulary",
    "sidecar_of",
    "tag_steps",
    "tagger_version",
    "tags_from_views",
    "write_steps",
]


def __getattr__(name: str) -> Any:
    """Import the half of the room that needs the library on first use (PEP 562)."""
    if name in _LATER:
        return getattr(import_module(f"cocadesk.annotations.{_LATER[name]}"), name)
    raise AttributeError(name)
