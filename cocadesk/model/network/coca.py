"""CoCa: contrastive captioner (Yu et al. 2022, arXiv 2205.01917)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cocadesk.model.network.config import CocaConfig, PoolerDesign
from cocadesk.model.network.hubness import Hubness, corrected_photos, corrected_texts
from cocadesk.model.network.image_encoder import build_image_encoder
from cocadesk.model.network.layers import AttentionalPooler, init_transformer
from cocadesk.model.network.text_decoder import MultimodalDecoder, UnimodalDecoder

#: exp(log_scale) is kept at or below this, as CLIP does, so that bf16 stays sane.
MAX_LOGIT_SCALE = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CocaOutput:
    """One pass over a batch of pictures and captions.

    ``image_BE`` and ``text_BE`` have unit norm; ``states_PD`` are decoder states
    at the P positions whose next token counts, ``targets_P`` those tokens, and
    ``logits_PV`` the scores (no logits are made for padding).
    """

    image_BE: Tensor
    text_BE: Tensor
    logits_PV: Tensor
    targets_P: Tensor
    logit_scale: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledImage:
    """The poolers' outputs: the unit vector (B, E) and the decoder's tokens (B, Q, D)."""

    vector_BE: Tensor
    tokens_BQD: Tensor


class CoCa(nn.Module):
    """The whole network; see the config for its shapes."""

    def __init__(self, config: CocaConfig) -> None:
        super().__init__()
        self.config = config
        text, image, pooler = config.text, config.image, config.pooler
        self.image_encoder = build_image_encoder(image, config.dropout)
        shared = pooler.design is PoolerDesign.SHARED
        self.generative_pooler = AttentionalPooler(
            text.width,
            image.width,
            pooler.generative_queries + (pooler.contrastive_queries if shared else 0),
            pooler.heads,
        )
        cascade = pooler.design is PoolerDesign.CASCADE
        self.contrastive_pooler = (
            None
            if shared
            else AttentionalPooler(
                text.width,
                text.width if cascade else image.width,
                pooler.contrastive_queries,
                pooler.heads,
            )
        )
        self.image_norm = nn.LayerNorm(text.width)
        self.image_projection = nn.Linear(text.width, config.embedding_dim, bias=False)
        self.unimodal = UnimodalDecoder(text, config.dropout)
        self.text_norm = nn.LayerNorm(text.width)
        self.text_projection = nn.Linear(text.width, config.embedding_dim, bias=False)
        hubness, dim = config.hubness, config.embedding_dim
        self.image_hubness = (
            Hubness(hubness.texts, dim, hubness.text_scale, hubness.text_weight)
            if hubness.texts
            else None
        )
        self.text_hubness = (
            Hubness(hubness.photos, dim, hubness.photo_scale, hubness.photo_weight)
            if hubness.photos
            else None
        )
        self.multimodal = MultimodalDecoder(text, config.dropout)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / config.initial_temperature)))
        self.apply(init_transformer)
        if text.tie_output:
            self.multimodal.output.weight = self.unimodal.embedding.weight

    @property
    def logit_scale(self) -> Tensor:
        """1 / temperature, learned (paper, equation 1)."""
        return self.log_scale.exp().clamp(max=MAX_LOGIT_SCALE)

    def pool(self, tokens_BND: Tensor) -> PooledImage:
        """The two poolers: cascade feeds the contrastive one with the generative one's output."""
        pooled = self.generative_pooler(tokens_BND)
        if self.contrastive_pooler is None:
            normed = self.image_norm(pooled)
            vector, tokens = normed[:, 0], normed[:, self.config.pooler.contrastive_queries :]
        else:
            cascade = self.config.pooler.design is PoolerDesign.CASCADE
            vector = self.contrastive_pooler(pooled if cascade else tokens_BND)[:, 0]
            vector, tokens = self.image_norm(vector), pooled
        vector = F.normalize(self.image_projection(vector).float(), dim=-1)
        if self.image_hubness is not None:
            vector = corrected_photos(vector, self.image_hubness)
        return PooledImage(vector_BE=vector, tokens_BQD=tokens)

    def encode_image(self, images_BHWC: Tensor) -> PooledImage:
        """Pictures (B, S, S, 3) uint8 RGB."""
        return self.pool(self.image_encoder(images_BHWC))

    def encode_text(self, tokens_BT: Tensor, valid_BT: Tensor) -> Tensor:
        """Unit vectors (B, E) of captions; ``valid`` marks the tokens that are not padding."""
        return self.text_vector(self.unimodal(tokens_BT, valid_BT)[1])

    def text_vector(self, cls_BD: Tensor) -> Tensor:
        """Unit vectors (B, E) of the unimodal half's [CLS] outputs."""
        vector = F.normalize(self.text_projection(self.text_norm(cls_BD)).float(), dim=-1)
        if self.text_hubness is None:
            return vector
        hubness = self.config.hubness
        return corrected_texts(vector, self.text_hubness, hubness.broad, hubness.narrow)

    def forward(
        self,
        tokens_BT: Tensor,
        valid_BT: Tensor,
        *,
        images_BHWC: Tensor | None = None,
        features_BNC: Tensor | None = None,
        keep_BK: Tensor | None = None,
    ) -> CocaOutput:
        """Both losses' inputs from one pass of encoder and decoder halves.

        Give pictures, or the trunk's cached ``features``. The unimodal half runs
        once: its [CLS] gives the text vector, its token outputs feed the
        multimodal half (paper, section 3.2).
        """
        if features_BNC is None:
            if images_BHWC is None:
                raise ValueError("pictures or features are needed")
            features_BNC = self.image_encoder.features(images_BHWC)
        pooled = self.pool(self.image_encoder.tokens(features_BNC, keep_BK))
        return self.forward_pooled(tokens_BT, valid_BT, pooled)

    def forward_pooled(
        self, tokens_BT: Tensor, valid_BT: Tensor, pooled: PooledImage
    ) -> CocaOutput:
        """The same pass from what the poolers gave earlier: the image side may stay locked."""
        text_BTD, cls_BD = self.unimodal(tokens_BT, valid_BT)
        states = self.multimodal(text_BTD[:, :-1], pooled.tokens_BQD)
        counted = valid_BT[:, 1:]
        return CocaOutput(
            image_BE=pooled.vector_BE,
            text_BE=self.text_vector(cls_BD),
            logits_PV=self.multimodal.output(states[counted]),
            targets_P=tokens_BT[:, 1:][counted],
            logit_scale=self.logit_scale,
        )
