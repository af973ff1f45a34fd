"""CoCa's two losses (paper, section 3.2, equations 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cocadesk.model.network.coca import CocaOutput
from trainer.config import LossConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """``total`` = λ_con · ``contrastive`` + λ_cap · ``caption``; scalars with gradient."""

    total: Tensor
    contrastive: Tensor
    caption: Tensor


def contrastive_loss(
    image_BE: Tensor, text_BE: Tensor, logit_scale: Tensor, groups_B: Tensor
) -> Tensor:
    """L_con: the sum of both directions, each averaged over the batch (equation 1).

    open_clip halves it: its contrastive weight 1 is λ_con 0.5 here. Pictures
    whose captions are equal share a number in ``groups`` (B,) and count as
    positives of each other; the target is spread evenly over the positives.
    """
    logits = logit_scale * image_BE @ text_BE.T
    positive = (groups_B[:, None] == groups_B[None, :]).to(logits.dtype)
    target = positive / positive.sum(1, keepdim=True)  # symmetric groups: same for both ways
    image_to_text = -(target * logits.log_softmax(1)).sum(1).mean()
    text_to_image = -(target * logits.T.log_softmax(1)).sum(1).mean()
    return image_to_text + text_to_image


def coca_losses(output: CocaOutput, groups_B: Tensor, config: LossConfig) -> Losses:
    """Both losses of one pass; L_cap is the mean over all real next tokens (equation 2)."""
    contrastive = contrastive_loss(output.image_BE, output.text_BE, output.logit_scale, groups_B)
    caption = F.cross_entropy(
        output.logits_PV.float(), output.targets_P, label_smoothing=config.label_smoothing
    )
    return Losses(
        total=config.contrastive * contrastive + config.caption * caption,
        contrastive=contrastive,
        caption=caption,
    )


def caption_groups(captions: Sequence[str]) -> Tensor:
    """(B,) int64: captions that read the same get the same number."""
    numbers: dict[str, int] = {}
    return torch.tensor([numbers.setdefault(c.casefold(), len(numbers)) for c in captions])
