"""The image side as one torch module, for OpenVINO's conversion."""

from __future__ import annotations

from torch import Tensor, nn

from cocadesk.model.network.coca import CoCa


class PooledModule(nn.Module):
    """(B, S, S, 3) uint8 → unit vector (B, E) and decoder tokens (B, Q, D)."""

    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.model = model

    def forward(self, images_BHWC: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.model.encode_image(images_BHWC)
        return pooled.vector_BE, pooled.tokens_BQD
