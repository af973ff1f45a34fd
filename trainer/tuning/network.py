"""The network to tune, and its image side as a function on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from cocadesk.model.backend import Backend, open_backend
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint, ModelIds, load_model
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.network.coca import CoCa
from cocadesk.model.source import find_checkpoint
from cocadesk.model.tokenizers.captions import prepare_caption
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from trainer.device import TrainDevice
from trainer.pictures.features import ImageFeatures, image_features
from trainer.tuning.methods import FeatureKind, TuningMethod

if TYPE_CHECKING:
    from cocadesk.picture_input import InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A checkpoint opened for tuning, its device, and the backend that reads photos."""

    checkpoint: Checkpoint
    ids: ModelIds
    is_half: bool
    backend: Backend
    device: TrainDevice

    @property
    def tokenizer(self) -> TextTokenizer:
        """The checkpoint's own."""
        return self.checkpoint.tokenizer

    @property
    def input_spec(self) -> InputSpec:
        """The decoder's settings for a photo."""
        return self.backend.info().input_spec

    def prepare(self, caption: str) -> str:
        """A caption as the network saw captions in training."""
        return prepare_caption(caption, lowercase=self.checkpoint.config.text.lowercase)

    def fresh_model(self, method: TuningMethod) -> CoCa:
        """The untuned weights in float32 on the device, prepared by the method."""
        return method.prepare(load_model(self.checkpoint)).to(self.device.device)

    def image_features(self, method: TuningMethod) -> ImageFeatures:
        """Unit vectors (B, E), and the tokens (B, N, D) that the method needs."""
        if method.features is FeatureKind.POOLED:
            return self.backend.pooled
        module = _EncoderModule(load_model(self.checkpoint)).eval()
        return image_features(module, self.checkpoint.config.image, self.device)

    def close(self) -> None:
        """Ends the backend's threads."""
        self.backend.close()


def open_network(source: str, device: str) -> Network:
    """Opens a model for tuning.

    Raises:
        UserError: the source is no model that can be tuned, or the device does not work.
    """
    checkpoint = find_checkpoint(source)
    dtypes = {array.dtype for array in map_safetensors(checkpoint.folder / WEIGHTS).values()}
    chosen = TrainDevice.choose(device)
    return Network(
        checkpoint=checkpoint,
        ids=checkpoint.ids(),
        is_half=np.dtype(np.float16) in dtypes,
        backend=open_backend(source, chosen.device.type),
        device=chosen,
    )


class _EncoderModule(nn.Module):
    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.model = model

    def forward(self, images_BHWC: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.model.image_encoder(images_BHWC)
        return self.model.pool(tokens).vector_BE, tokens
