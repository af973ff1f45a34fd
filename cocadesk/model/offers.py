"""The models that are offered for choice: what each is good for, its size, how well it finds.

The figures of the released checkpoints are open_clip's own, from its repository's
``docs/openclip_retrieval_results.csv``; the starter's stand on its card and are of a development
set, by which its settings were chosen: there is no figure of a set that was kept apart. Figures of
different sets cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import kept, tr
from cocadesk.locations import STARTER
from cocadesk.model.checkpoints.hub import RELEASED_PREFIX, same_model

FLICKR30K = tr("Flickr30k test, 1,000 photos")
COCO = tr("COCO test, 5,000 photos")
FLICKR8K_DEV = tr("Flickr8k dev, 1,000 photos")
_LAION = "laion2b_s13b_b90k"
_COCO_TUNED = "mscoco_finetuned_laion2b_s13b_b90k"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Text → photo recall at 1 and 5 on a named set, as shares; ``is_ours``: measured here."""

    data: str
    at_1: float
    at_5: float
    is_ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedModel:
    """A model that a person may choose without knowing its name.

    ``name`` is English (``retold`` shows it); ``compiled_bytes`` is what its image network takes
    once it is compiled for a processor, in bfloat16; one without that takes twice as much.
    """

    source: str
    name: str
    title: str
    good_for: str
    size_bytes: int
    compiled_bytes: int = 0
    recall: tuple[Recall, ...] = ()
    is_for_search: bool = True
    is_for_captions: bool = True


OFFERED = (
    OfferedModel(
        source=STARTER,
        name=kept("Starter"),
        title=tr("Small and quick"),
        good_for=tr(
            "Finds everyday things and scenes in English and writes short, plain captions. It "
            "comes with the program and works on any computer."
        ),
        size_bytes=0,
        recall=(Recall(data=FLICKR8K_DEV, at_1=0.252, at_5=0.537, is_ours=True),),
    ),
    OfferedModel(
        source=f"{RELEASED_PREFIX}coca_ViT-B-32/{_LAION}",
        name="CoCa ViT-B-32",
        title=tr("Good"),
        good_for=tr(
            "Learned from two billion pictures of the web: it knows kinds of animals, plants and "
            "things that the starter has never seen. A sentence finds its photo at the first "
            "place in 63 of 100 cases."
        ),
        size_bytes=1_014_311_000,
        compiled_bytes=180_000_000,
        recall=(
            Recall(data=FLICKR30K, at_1=0.634, at_5=0.857),
            Recall(data=COCO, at_1=0.362, at_5=0.614),
        ),
    ),
    OfferedModel(
        source=f"{RELEASED_PREFIX}coca_ViT-L-14/{_COCO_TUNED}",
        name="CoCa ViT-L-14",
        title=tr("Best"),
        good_for=tr(
            "Finds best, at the first place in 79 of 100 cases, and was tuned on captions that "
            "people wrote. A photo is eighteen times "
            "the work of CoCa ViT-B-32."
        ),
        size_bytes=2_554_000_000,
        compiled_bytes=614_000_000,
        recall=(
            Recall(data=FLICKR30K, at_1=0.785, at_5=0.945),
            Recall(data=COCO, at_1=0.537, at_5=0.778),
        ),
    ),
    OfferedModel(
        source=f"{RELEASED_PREFIX}coca_ViT-B-32/{_COCO_TUNED}",
        name=kept("CoCa ViT-B-32, tuned on COCO"),
        title=tr("For captions only"),
        good_for=tr(
            "Was tuned on captions that people wrote, which spoiled its search: let another "
            "model search, and this one write the captions."
        ),
        size_bytes=1_014_311_000,
        compiled_bytes=180_000_000,
        recall=(
            Recall(data=FLICKR30K, at_1=0.007, at_5=0.021),
            Recall(data=COCO, at_1=0.003, at_5=0.014),
        ),
        is_for_search=False,
    ),
)
"""The smallest first; the last one serves beside another."""


def offered(source: str) -> OfferedModel | None:
    """The offer of a source in any of its spellings; None for a model that is not offered."""
    for offer in OFFERED:
        if same_model(source, offer.source):
            return offer
    return None


def bytes_to_prepare(source: str, whole_bytes: int) -> int:
    """The room that a fetched model of this size takes besides, until it can be used.

    A converted copy, and of the offered ones what is known to be compiled.
    """
    offer = offered(source)
    return whole_bytes + (offer.compiled_bytes if offer else 0)
