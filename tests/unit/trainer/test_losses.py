"""The two losses against slow, plain versions."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from trainer.config import LossConfig
from trainer.step import caption_groups, coca_losses, contrastive_loss


def _vectors(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    first = F.normalize(torch.randn(count, 8, generator=generator), dim=1)
    second = F.normalize(torch.randn(count, 8, generator=generator), dim=1)
    return first, second


def test_the_contrastive_loss_is_the_papers_sum_of_both_directions() -> None:
    """Equation 1, term by term; open_clip's value is half of it."""
    image, text = _vectors()
    scale = torch.tensor(10.0)
    total = 0.0
    for i in range(6):
        to_text = [math.exp(10 * float(image[i] @ text[j])) for j in range(6)]
        to_image = [math.exp(10 * float(text[i] @ image[j])) for j in range(6)]
        total -= math.log(to_text[i] / sum(to_text)) / 6
        total -= math.log(to_image[i] / sum(to_image)) / 6
    found = contrastive_loss(image, text, scale, torch.arange(6))
    assert float(found) == pytest.approx(total, rel=1e-5)


def test_equal_captions_are_positives_of_each_other() -> None:
    """Swapping the texts of two pictures with one caption changes nothing."""
    image, text = _vectors()
    groups = caption_groups(["a dog", "A dog", "a cat", "b", "c", "d"])
    assert groups.tolist() == [0, 0, 1, 2, 3, 4]
    swapped = text[[1, 0, 2, 3, 4, 5]]
    scale = torch.tensor(10.0)
    torch.testing.assert_close(
        contrastive_loss(image, text, scale, groups),
        contrastive_loss(image, swapped, scale, groups),
    )
    alone = torch.arange(6)
    assert not torch.isclose(
        contrastive_loss(image, text, scale, alone), contrastive_loss(image, swapped, scale, alone)
    )


def test_the_total_weighs_the_parts() -> None:
    """λ_con · L_con + λ_cap · L_cap, with the caption loss a mean over real tokens."""
    from cocadesk.model.network.coca import CocaOutput

    image, text = _vectors()
    logits, targets = torch.randn(9, 20), torch.arange(9)
    output = CocaOutput(
        image_BE=image,
        text_BE=text,
        logits_PV=logits,
        targets_P=targets,
        logit_scale=torch.tensor(10.0),
    )
    losses = coca_losses(output, torch.arange(6), LossConfig(contrastive=0.5, caption=3.0))
    plain = -logits.log_softmax(1)[torch.arange(9), targets].mean()
    torch.testing.assert_close(losses.parts["caption"], plain)
    torch.testing.assert_close(
        losses.total, 0.5 * losses.parts["contrastive"] + 3 * losses.parts["caption"]
    )
