"""Losses of a tuning step: CoCa's two on the tuning photos, and those that keep the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cocadesk.evaluation.retrieval import caption_key
from cocadesk.model.network.coca import CocaOutput
from trainer.device import TrainDevice
from trainer.tuning.new_words import NewWords


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The relation of B photos and B texts.

    ``positive_BB`` [photo, text]: the photo has a caption that reads the same.
    ``unsure_BB``: it has not, but the text shares a new word with the photo's captions:
    another florbit than the one described is neither right nor wrong. ``names_B`` is 1
    for texts with a new word.
    """

    positive_BB: Tensor
    unsure_BB: Tensor
    names_B: Tensor

    def on(self, device: TrainDevice) -> Pairs:
        """The same pairs there."""
        return Pairs(
            positive_BB=device.move(self.positive_BB),
            unsure_BB=device.move(self.unsure_BB),
            names_B=device.move(self.names_B),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoCaptions:
    """The keys of a photo's captions, and its new words."""

    keys: frozenset[str]
    new: frozenset[str]

    @staticmethod
    def of(captions: Sequence[str], queries: Sequence[str], new: NewWords) -> PhotoCaptions:
        """``queries`` are right for the photo as its captions are."""
        keys = frozenset(caption_key(text) for text in (*captions, *queries))
        return PhotoCaptions(keys=keys, new=new.of(captions))


def relate(photos: Sequence[PhotoCaptions], texts: Sequence[str], new: NewWords) -> Pairs:
    """The relation between photo i and text j for all of a batch, on the CPU."""
    keys = [caption_key(text) for text in texts]
    words = [new.of([text]) for text in texts]
    shape = (len(photos), len(texts))
    positive, unsure = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for i, photo in enumerate(photos):
        for j, key in enumerate(keys):
            positive[i, j] = key in photo.keys
            unsure[i, j] = not positive[i, j] and bool(photo.new & words[j])
    return Pairs(
        positive_BB=torch.from_numpy(positive),
        unsure_BB=torch.from_numpy(unsure),
        names_B=torch.tensor([float(bool(found)) for found in words]),
    )


def contrastive_with_negatives(
    image_BE: Tensor,
    text_BE: Tensor,
    pairs: Pairs,
    scale: Tensor,
    others_GE: Tensor,
    sentences_SE: Tensor,
) -> Tensor:
    """L_con of the paper (both directions summed) with positives shared and more negatives.

    ``others`` are vectors of unrelated pictures, ``sentences`` those of general sentences by
    the untuned model; neither learns. Unsure pairs count in neither sum.
    """
    own = scale * image_BE @ text_BE.T
    own = own.masked_fill(pairs.unsure_BB, -torch.inf)
    to_text = torch.cat((own, scale * image_BE @ sentences_SE.T), dim=1)
    to_image = torch.cat((own.T, scale * text_BE @ others_GE.T), dim=1)
    return _shared_cross_entropy(to_text, pairs.positive_BB) + _shared_cross_entropy(
        to_image, pairs.positive_BB.T
    )


def _shared_cross_entropy(logits: Tensor, positive: Tensor) -> Tensor:
    """Cross-entropy with the target spread evenly over each row's positives."""
    weight = positive.float()
    weight = weight / weight.sum(1, keepdim=True)
    log_probability = logits.log_softmax(1)[:, : positive.shape[1]]
    return -(weight * log_probability.masked_fill(~positive, 0.0)).sum(1).mean()


def distractor_loss(
    others_GE: Tensor, text_BE: Tensor, sentences_SE: Tensor, scale: Tensor
) -> Tensor:
    """Softplus margin: unrelated pictures must not prefer the step's texts to general sentences."""
    kept = (scale * others_GE @ sentences_SE.T).logsumexp(1)
    drawn = (scale * others_GE @ text_BE.T).logsumexp(1) - np.log(len(text_BE))
    return F.softplus(drawn - kept + np.log(sentences_SE.shape[0])).mean()


def alignment(image_BE: Tensor, text_BE: Tensor, pairs: Pairs) -> Tensor:
    """Mean 1 - cosine between each text with a new word and the middle of its photos.

    The middle of a dozen photos is what a name means: telling it from the pictures of a
    batch is easy, from a thousand others only the middle does.
    """
    weight = (pairs.positive_BB | pairs.unsure_BB).float().T
    middle = F.normalize(weight @ image_BE, dim=1)
    each = 1 - (middle * text_BE).sum(1)
    return (each * pairs.names_B).sum() / pairs.names_B.sum().clamp(min=1)


def anchor_loss(new_SE: Tensor, old_SE: Tensor) -> Tensor:
    """Mean 1 - cosine between vectors now and before tuning."""
    return (1 - (new_SE * old_SE).sum(1)).mean()


def caption_loss(output: CocaOutput, valid_BT: Tensor, weight_B: Tensor) -> Tensor:
    """L_cap: the weighted mean over the real next tokens of the rows that count."""
    row_P = valid_BT[:, 1:].nonzero()[:, 0]
    each = F.cross_entropy(output.logits_PV.float(), output.targets_P, reduction="none")
    weight = weight_B[row_P]
    return (each * weight).sum() / weight.sum().clamp(min=1)


def kl_distillation(new_PV: Tensor, old_PV: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence KL(before ‖ now) of the next token's probabilities."""
    new, old = new_PV.float().log_softmax(1), old_PV.float().log_softmax(1)
    return (old.exp() * (old - new)).sum(1).mean()
