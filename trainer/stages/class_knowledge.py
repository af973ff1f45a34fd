"""Knowledge of the trunk's own classifier: names that captions seldom say.

The classifier says which of its classes a picture shows; the picture's vector should then
be near the text vectors of their names. What it is unsure of teaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cocadesk.model.network.efficientnet import pretrained_weights
from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
from trainer.config import JointConfig
from trainer.device import TrainDevice
from trainer.pictures.features import PictureSource
from trainer.words.class_tree import ClassTree
from trainer.words.counts import with_article

_PICTURES = 256


class ClassKnowledge:
    """The loss of pictures against the names of what the classifier sees in them.

    ``probabilities_PC`` are the classifier's for the plain crop of each picture.
    """

    def __init__(
        self, tree: ClassTree, probabilities_PC: Tensor, config: JointConfig, device: TrainDevice
    ) -> None:
        self._config = config
        self._probabilities_PC = probabilities_PC
        self._device = device
        partitions = [tree.partition(breadth) for breadth in config.class_breadths]
        groups = list(dict.fromkeys(id_ for part in partitions for id_ in part.groups))
        place = {id_: number for number, id_ in enumerate(groups)}
        self._texts: list[str] = []
        owners: list[int] = []
        for id_, number in place.items():
            for name in tree.names(id_):
                self._texts += [name, f"a photo of {with_article(name)}"]
                owners += [number, number]
        self._owner_T = device.tensor(np.array(owners))
        self._groups = len(groups)
        self._rows = [device.tensor(np.array([place[g] for g in p.groups])) for p in partitions]
        self._joined = [
            F.one_hot(device.tensor(part.group_C), len(part.groups)).float() for part in partitions
        ]
        self._bank_GE = torch.zeros(0)

    def refresh(self, encode: Callable[[Sequence[str]], Tensor]) -> None:
        """Takes the names' text vectors anew: they are kept for some steps."""
        vectors = encode(self._texts)
        bank = vectors.new_zeros(self._groups, vectors.shape[1])
        self._bank_GE = F.normalize(bank.index_add(0, self._owner_T, vectors), dim=-1)

    def loss(
        self, image_BE: Tensor, picture_B: NDArray[np.int64], random: np.random.Generator
    ) -> Tensor:
        """Over the classes, and over one drawn partition of broader words."""
        chosen = [0]
        if len(self._rows) > 1:
            chosen.append(1 + int(random.integers(len(self._rows) - 1)))
        classes = self._device.move(self._probabilities_PC[torch.from_numpy(picture_B)]).float()
        total = image_BE.new_zeros(())
        for part in chosen:
            names_GE = self._bank_GE[self._rows[part]]
            total = total + self._group_loss(image_BE, names_GE, classes @ self._joined[part])
        return total

    def _group_loss(self, image_BE: Tensor, names_GE: Tensor, chances_BG: Tensor) -> Tensor:
        unsure, sure = self._config.class_unsure, self._config.class_sure
        weight_B = ((chances_BG.amax(1) - unsure) / (sure - unsure)).clamp(0, 1)
        target = chances_BG.square()  # sharper: the runners-up are often wrong
        target = target / target.sum(1, keepdim=True).clamp_min(1e-12)
        logits = self._config.class_scale * image_BE @ names_GE.T
        each_B = -(target * logits.log_softmax(1)).sum(1)
        return (weight_B * each_B).sum() / weight_B.sum().clamp_min(1)


@torch.no_grad()
def class_probabilities(
    encoder: EfficientNetLiteEncoder, source: PictureSource, pictures: int, device: TrainDevice
) -> Tensor:
    """(P, 1000) float16 on the CPU: what the pretrained classifier sees in each plain crop."""
    weights = pretrained_weights(encoder.config.trunk_variant)
    classes, width = weights["_fc.weight"].shape
    classifier = nn.Linear(width, classes).to(device.device)
    classifier.load_state_dict({p: weights[f"_fc.{p}"] for p in ("weight", "bias")})
    found = []
    for start in range(0, pictures, _PICTURES):
        picture = np.arange(start, min(start + _PICTURES, pictures))
        maps = device.move(source.fetch(picture, np.zeros_like(picture))).float()
        pooled = encoder.head(maps[..., : encoder.trunk.channels]).mean(1)
        found.append(classifier(pooled).softmax(1).half().cpu())
    return torch.cat(found)
