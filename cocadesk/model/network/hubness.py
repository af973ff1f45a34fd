"""Hubness correction: photos and texts that are near everything are moved away from everything.

In a space of many dimensions some photos are near most texts (hubs; Radovanović et al. 2010), so
they stand in results where they do not belong. A photo's score is lessened by how near it is
to a bank of unrelated texts, a text's by how near it is to a bank of unrelated photos, as in
querybank normalisation (Bogolin et al. 2022, arXiv 2112.12777), but without the queries of
others: two further dimensions of the unit vectors hold it (after Bachrach et al. 2014, where
inner products become cosines), so every search and index by cosine has it for nothing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cocadesk.model.network.config import STRETCH


class Hubness(nn.Module):
    """How much nearer than usual a vector is to a bank of ``size`` unit vectors."""

    bank: Tensor
    level: Tensor

    def __init__(self, size: int, dim: int, scale: float, weight: float) -> None:
        super().__init__()
        self.scale, self.weight = scale, weight
        self.register_buffer("bank", torch.zeros(size, dim))
        self.register_buffer("level", torch.zeros(()))

    def nearness(self, vectors_BE: Tensor) -> tuple[Tensor, Tensor]:
        """A mean of the cosines to the bank in which the nearest count most; the plain mean.

        Each is (B, 1).
        """
        # Outside of autocast: similarities in bf16 are too coarse to rank by.
        with torch.autocast(vectors_BE.device.type, enabled=False):
            cosines_BN = vectors_BE.float() @ self.bank.T
            total = torch.logsumexp(self.scale * cosines_BN, dim=1, keepdim=True)
        return (total - math.log(len(self.bank))) / self.scale, cosines_BN.mean(1, keepdim=True)

    def offset(self, nearness_B1: Tensor) -> Tensor:
        """What scores are to be lessened by, (B, 1); 0 for a usual vector."""
        return self.weight * (nearness_B1 - self.level)


def corrected_photos(vectors_BE: Tensor, hubness: Hubness) -> Tensor:
    """Unit vectors (B, E + 2) of photos from those of (B, E)."""
    offset = hubness.offset(hubness.nearness(vectors_BE)[0])
    parts = (vectors_BE, STRETCH * offset, torch.full_like(offset, -1 / STRETCH))
    return F.normalize(torch.cat(parts, dim=1), dim=-1)


def corrected_texts(vectors_BE: Tensor, hubness: Hubness, broad: float, narrow: float) -> Tensor:
    """Unit vectors (B, E + 2) of texts: cosines to photos are lessened by both offsets.

    That of the photos counts in full for texts that single out few photos, as captions do, and
    not for those that many fit: photos of dogs are near many captions, and "a dog" asks for all.
    """
    nearness, mean = hubness.nearness(vectors_BE)
    share = ((nearness - mean - broad) / (narrow - broad)).clamp(0, 1)
    parts = (vectors_BE, -share / STRETCH, STRETCH * hubness.offset(nearness))
    return F.normalize(torch.cat(parts, dim=1), dim=-1)
