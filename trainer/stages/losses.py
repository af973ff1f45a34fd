"""Losses of the stages beside CoCa's two: soft targets, kept similarities, few candidates.

Each is a function of tensors; similarities are taken in float32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def same_pairs(*numbers_B: Tensor) -> Tensor:
    """(B, B) bool: pairs that share a number in any of the rows given."""
    pairs = [numbers[:, None] == numbers[None, :] for numbers in numbers_B]
    return torch.stack(pairs).any(0)


def soft_targets(same_BB: Tensor, sentences_BD: Tensor, share: float, temperature: float) -> Tensor:
    """Targets of a contrastive loss, rows that sum to 1.

    Pairs that are the same have them evenly, but for a ``share`` that goes to captions of
    like meaning, by the sentence model's vectors: "a puppy" is no wrong answer to "a dog".
    """
    hard = same_BB.to(sentences_BD.dtype)
    hard = hard / hard.sum(1, keepdim=True)
    if not share:
        return hard
    likeness = sentences_BD @ sentences_BD.T / temperature
    likeness.fill_diagonal_(-torch.inf)
    return (1 - share) * hard + share * likeness.softmax(1)


def soft_contrastive_loss(
    image_BE: Tensor, text_BE: Tensor, logit_scale: Tensor, target_BB: Tensor
) -> Tensor:
    """Both directions of L_con (equation 1) with given targets."""
    logits = logit_scale * image_BE @ text_BE.T
    image_to_text = -(target_BB * logits.log_softmax(1)).sum(1).mean()
    text_to_image = -(target_BB * logits.T.log_softmax(1)).sum(1).mean()
    return image_to_text + text_to_image


def similarity_gap(
    vectors_BE: Tensor, others_BE: Tensor, taught_BD: Tensor, scale: float
) -> Tensor:
    """KL divergence of the texts' similarities from those that the sentence model sees."""
    found = (scale * vectors_BE @ others_BE.T).log_softmax(1)
    taught = (scale * taught_BD @ taught_BD.T).log_softmax(1)
    return F.kl_div(found, taught, log_target=True, reduction="batchmean")


def candidate_ids(targets_P: Tensor, frequent: int, drawn: int, vocabulary: int) -> Tensor:
    """Sorted ids to score: the first ``frequent``, the targets', and a draw of the others.

    Ids are ordered by how often captions have them: scoring 8,000 of 30,000 halves a step.
    """
    frequent = min(frequent, vocabulary)
    rare = targets_P[targets_P >= frequent]
    if frequent < vocabulary:
        others = torch.randint(frequent, vocabulary, (drawn,), device=targets_P.device)
        rare = torch.cat((rare, others))
    first = torch.arange(frequent, device=targets_P.device)
    return torch.cat((first, torch.unique(rare)))


def token_loss_sum(
    states_PD: Tensor, targets_P: Tensor, table_VD: Tensor, ids_C: Tensor, smoothing: float
) -> Tensor:
    """The summed cross-entropy of next tokens over the candidates alone."""
    places = torch.searchsorted(ids_C, targets_P)
    logits = (states_PD @ table_VD[ids_C].T).float()
    return F.cross_entropy(logits, places, label_smoothing=smoothing, reduction="sum")
