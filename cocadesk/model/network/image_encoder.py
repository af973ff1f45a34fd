"""Image encoders: a picture becomes tokens.

Both kinds run in two steps, so that training can keep the first step's result:
``features`` (a frozen trunk, or nothing for a ViT) and ``tokens`` (the rest).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cocadesk.model.network.config import ImageConfig, ImageEncoderKind, Variant
from cocadesk.model.network.efficientnet import (
    HEAD_CHANNELS,
    EfficientNetLiteBody,
    EfficientNetLiteHead,
)
from cocadesk.model.network.layers import TransformerLayer


class ImageEncoder(nn.Module):
    """Tokens (B, N, width) of pictures (B, S, S, 3) uint8 RGB."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: ImageConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.tensor(config.mean), persistent=False)
        self.register_buffer("std", torch.tensor(config.std), persistent=False)
        self.layers = nn.ModuleList(
            TransformerLayer(config.width, config.heads, config.mlp_width, dropout=dropout)
            for _ in range(config.layers)
        )
        self.final_norm: nn.Module = nn.LayerNorm(config.width)

    def normalise(self, images_BHWC: Tensor) -> Tensor:
        """(B, 3, S, S) float, by the config's mean and std."""
        scaled = (images_BHWC.float() / 255.0 - self.mean) / self.std
        return scaled.permute(0, 3, 1, 2)

    def features(self, images_BHWC: Tensor) -> Tensor:
        """A frozen trunk's features, (B, N, C)."""
        raise NotImplementedError

    def tokens(self, features_BNC: Tensor, keep: Tensor | None = None) -> Tensor:
        """Image tokens (B, N, width); ``keep`` (B, K) drops all other positions."""
        raise NotImplementedError

    def forward(self, images_BHWC: Tensor) -> Tensor:
        return self.tokens(self.features(images_BHWC))

    @property
    def grid_side(self) -> int:
        """Rows and columns of the grid whose cells ``keep`` names, row by row."""
        raise NotImplementedError

    def _finish(self, x_BND: Tensor) -> Tensor:
        for layer in self.layers:
            x_BND = layer(x_BND)
        return self.final_norm(x_BND)  # type: ignore[no-any-return]


def select(x_BNC: Tensor, keep_BK: Tensor | None) -> Tensor:
    """The kept positions of each picture, (B, K, C); all of them when none are named."""
    if keep_BK is None:
        return x_BNC
    return x_BNC.gather(1, keep_BK[:, :, None].expand(-1, -1, x_BNC.shape[-1]))


def placed(position_ND: Tensor, keep_BK: Tensor | None) -> Tensor:
    """Position vectors of the kept places."""
    return position_ND if keep_BK is None else position_ND[keep_BK]


class VisionTransformer(ImageEncoder):
    """ViT (Dosovitskiy et al. 2021) without a class token, as in the paper.

    open_clip's has one, before the patches; its position is the first row.
    """

    def __init__(self, config: ImageConfig, dropout: float = 0.0) -> None:
        super().__init__(config, dropout)
        released = config.variant is Variant.OPEN_CLIP
        side = config.size_px // config.patch_px
        self.patches = nn.Conv2d(
            3, config.width, config.patch_px, config.patch_px, bias=not released
        )
        self.position = nn.Parameter(torch.randn(side * side + released, config.width) * 0.02)
        self.class_token = nn.Parameter(torch.randn(config.width) * 0.02) if released else None
        self.input_norm = nn.LayerNorm(config.width) if released else None
        if released:
            self.final_norm = nn.Identity()

    @property
    def grid_side(self) -> int:
        return self.config.size_px // self.config.patch_px

    def features(self, images_BHWC: Tensor) -> Tensor:
        """The patches, embedded: a ViT has no frozen trunk."""
        return self.patches(self.normalise(images_BHWC)).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]

    def tokens(self, features_BNC: Tensor, keep: Tensor | None = None) -> Tensor:
        patches = select(features_BNC, keep)
        if self.class_token is None or self.input_norm is None:
            return self._finish(patches + placed(self.position, keep))
        # Not len(): OpenVINO's tracing would take it for a constant.
        first = (self.class_token + self.position[0]).expand(patches.shape[0], 1, -1)
        patches = patches + placed(self.position[1:], keep)
        return self._finish(self.input_norm(torch.cat((first, patches), dim=1)))


class EfficientNetLiteEncoder(ImageEncoder):
    """A pretrained EfficientNet-Lite trunk with transformer layers on its 1280-channel map.

    With a middle map, that one's channels are added after a projection of their own.
    """

    def __init__(self, config: ImageConfig, dropout: float = 0.0) -> None:
        super().__init__(config, dropout)
        self.trunk = EfficientNetLiteBody(config.trunk_variant, middle=config.middle_map)
        self.head = EfficientNetLiteHead(self.trunk.channels)
        side = -(-config.size_px // 32)
        self.project = nn.Linear(HEAD_CHANNELS, config.width)
        middle = self.trunk.middle_channels
        self.middle = nn.Linear(middle, config.width, bias=False) if middle else None
        self.position = nn.Parameter(torch.randn(side * side, config.width) * 0.02)

    @property
    def grid_side(self) -> int:
        return -(-self.config.size_px // 32)

    def features(self, images_BHWC: Tensor) -> Tensor:
        """The frozen body's map, (B, (S/32)^2, C)."""
        normalised = self.normalise(images_BHWC).contiguous(memory_format=torch.channels_last)
        return self.trunk(normalised).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]

    def tokens(self, features_BNC: Tensor, keep: Tensor | None = None) -> Tensor:
        maps = select(features_BNC, keep)
        x = self.project(self.head(maps[..., : self.trunk.channels]))
        if self.middle is not None:
            x = x + self.middle(maps[..., self.trunk.channels :])
        return self._finish(x + placed(self.position, keep))


def build_image_encoder(config: ImageConfig, dropout: float = 0.0) -> ImageEncoder:
    """The encoder that the config names, with random weights."""
    if config.kind is ImageEncoderKind.VIT:
        return VisionTransformer(config, dropout)
    return EfficientNetLiteEncoder(config, dropout)
