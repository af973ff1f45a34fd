"""Values at the model's door besides arrays; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.picture_input import InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """The network that answers: its input, its device and the reason for it."""

    name: str
    model_id: str
    image_id: str
    embedding_dim: int
    input_spec: InputSpec
    device: str
    precision: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A written caption; ``score`` is the mean probability of its tokens, 0 to 1."""

    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """The way in which captions are written.

    ``beams`` 1 is greedy; three cost about three times as much and write better
    (CIDEr-D .47 for .45 with the first starter); ``max_tokens`` counts the end marker;
    ``no_repeat_ngram`` n forbids repeating any n tokens in a row (0: allowed).
    """

    beams: int = 3
    max_tokens: int = 32
    min_tokens: int = 3
    length_penalty: float = 0.6
    no_repeat_ngram: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLimits:
    """The sizes from which another runtime is worth its start, as measured.

    A ViT narrower than ``large_vit`` runs as fast in torch as in OpenVINO: converting it
    would cost more than it gains. OpenVINO is taken only where its vectors agree with
    torch's by ``min_cosine``. NumPy answers a query; ``many_texts`` at once for a text
    tower of ``large_text_tower`` or wider are worth loading torch.
    """

    large_vit: int = 512
    min_cosine: float = 0.9999
    many_texts: int = 48
    large_text_tower: int = 512
