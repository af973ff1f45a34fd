"""The network that is taught, and its image side as a machine that answers arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cocadesk.media import InputSpec, ResizeMode
from cocadesk.model.backend import Backend, open_backend
from cocadesk.model.checkpoints.checkpoint import Checkpoint, ModelIds, load_arrays, load_model
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.runtime import openvino as openvino_runtime
from cocadesk.model.source import find_checkpoint
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer, clean_caption
from trainer.tuning.spec import Method

ImageSide = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Pictures (B, S, S, 3) uint8 → unit vectors (B, E) and what is kept for teaching (B, N, D)."""

#: What the head method teaches; all else stays locked, so stored vectors stay valid.
HEAD_PREFIXES = ("unimodal.", "text_norm.", "text_projection.", "multimodal.")
#: What the deeper method teaches besides.
POOLER_PREFIXES = (
    "generative_pooler.",
    "contrastive_pooler.",
    "image_norm.",
    "image_projection.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A checkpoint opened for teaching, and the door that makes its features."""

    checkpoint: Checkpoint
    ids: ModelIds
    is_half: bool
    backend: Backend

    @property
    def tokenizer(self) -> BpeTokenizer:
        """The checkpoint's own."""
        return self.checkpoint.tokenizer

    @property
    def input_spec(self) -> InputSpec:
        """What the decoder is to make of a photo."""
        image = self.checkpoint.config.image
        return InputSpec(size_px=image.size_px, resize=ResizeMode(str(image.resize)))

    def prepare(self, caption: str) -> str:
        """A caption as the network saw captions in training."""
        text = clean_caption(caption).removesuffix(".").rstrip()
        return text.lower() if self.checkpoint.config.text.lowercase else text

    def fresh_model(self, method: Method) -> CoCa:
        """The untaught weights in float32; what the method may not touch is locked."""
        model = load_model(self.checkpoint)
        prefixes = HEAD_PREFIXES + (POOLER_PREFIXES if method is Method.DEEPER else ())
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(prefixes))
        return model

    def image_side(self, method: Method) -> ImageSide:
        """Vectors and pooled tokens (head), or vectors and the encoder's tokens (deeper)."""
        if method is Method.HEAD:
            return self.backend.pooled
        return _encoder_tokens(self)

    def close(self) -> None:
        """Ends the door's workers."""
        self.backend.close()


def open_network(source: str, device: str) -> Network:
    """Opens a model for teaching.

    Raises:
        UserError: the source is no model that can be taught.
    """
    checkpoint = find_checkpoint(source)
    dtypes = {array.dtype for array in load_arrays(checkpoint.folder).values()}
    return Network(
        checkpoint=checkpoint,
        ids=checkpoint.ids(),
        is_half=dtypes == {np.dtype(np.float16)},
        backend=open_backend(source, device),
    )


class _EncoderModule(nn.Module):
    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.model = model

    def forward(self, images_BHWC: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = self.model.image_encoder(images_BHWC)
        return self.model.pool(tokens).vector_BE, tokens


def _encoder_tokens(network: Network) -> ImageSide:
    """The locked encoder's output, by OpenVINO where the trunk is one that it speeds up."""
    module = _EncoderModule(load_model(network.checkpoint)).eval()
    image = network.checkpoint.config.image
    if image.kind is ImageEncoderKind.EFFICIENTNET_LITE and openvino_runtime.available():
        compiled = openvino_runtime.CompiledImages(openvino_runtime.convert(module, image.size_px))

        def with_openvino(
            images: NDArray[np.uint8],
        ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            vectors, tokens = compiled(images)
            return vectors, tokens

        return with_openvino

    def with_torch(
        images: NDArray[np.uint8],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            vectors, tokens = module(torch.from_numpy(images))
        return vectors.float().numpy(), tokens.float().numpy()

    return with_torch
