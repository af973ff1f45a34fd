"""A small deterministic stand-in for the model's door, for tests of other rooms."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.tag_constants import TagConstants
from cocadesk.model.values import SENTENCE, STYLES
from cocadesk.picture_input import InputSpec

FORMS = {SENTENCE: "a {} picture", "short": "{} picture", "alt text": "a picture all in {}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeInfo:
    """The same fields as ``cocadesk.model.backend.ModelInfo``."""

    name: str = "fake"
    model_id: str = "fake-000000000000"
    image_id: str = "fake-111111111111"
    embedding_dim: int = 32
    input_spec: InputSpec = field(default_factory=lambda: InputSpec(size_px=64))
    device: str = "cpu"
    precision: str = "float32"
    reason: str = "a test"
    tagging: TagConstants = field(default_factory=TagConstants)
    styles: tuple[str, ...] = STYLES
    is_for_search: bool = True
    is_for_captions: bool = True
    is_multilingual: bool = False
    is_prepared: bool = True
    are_captions_prepared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeWordHeat:
    word: str
    heat_BYX: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCaption:
    text: str
    score: float


_COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255,) * 3}


class FakeBackend:
    """Embeds a picture by its mean colour and a text by the colours that it names."""

    def info(self) -> FakeInfo:
        return FakeInfo()

    def _unit(self, colours: NDArray[np.float32], salt: bytes = b"") -> NDArray[np.float32]:
        rng = np.random.default_rng(7)
        basis = rng.standard_normal((3, 32)).astype(np.float32)
        vectors = (colours / 255.0 - 0.5) @ basis + 1e-3
        if salt:
            seed = int.from_bytes(hashlib.blake2b(salt, digest_size=4).digest(), "big")
            vectors = vectors + 0.05 * np.random.default_rng(seed).standard_normal(32)
        norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
        return (vectors / norm).astype(np.float32)

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(images_BHWC) == 0:
            return np.zeros((0, 32), np.float32)
        return self._unit(images_BHWC.reshape(len(images_BHWC), -1, 3).mean(1, dtype=np.float32))

    def pooled(
        self, images_BHWC: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        vectors = self.embed_images(images_BHWC)
        return vectors, vectors[:, None].repeat(4, axis=1)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = []
        for text in texts:
            named = [rgb for word, rgb in _COLOURS.items() if word in text.lower()]
            colour = np.mean(named, axis=0) if named else np.full(3, 127.0)
            rows.append(self._unit(np.asarray(colour, np.float32), text.encode()))
        return np.stack(rows) if rows else np.zeros((0, 32), np.float32)

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        means = images_BHWC.reshape(len(images_BHWC), -1, 3).mean(1)
        names = list(_COLOURS)
        targets = np.asarray(list(_COLOURS.values()), np.float32)
        nearest = [int(np.argmin(((targets - m) ** 2).sum(1))) for m in means]
        form = FORMS[getattr(options, "style", SENTENCE)]
        texts = [form.format(names[i]) for i in nearest]
        if getattr(options, "min_tokens", 0) > 3:
            texts = [f"{text} with a lot around it" for text in texts]
        if getattr(options, "length_penalty", 0.0) < 0:
            texts = [" ".join(text.split()[:2]) for text in texts]
        if beginning := getattr(options, "prompt", ""):
            texts = [f"{beginning[:1].upper()}{beginning[1:]} {text}" for text in texts]
        return [FakeCaption(text=text, score=0.9) for text in texts]

    def explain(
        self, images_BHWC: NDArray[np.uint8], text: str, between: object = None
    ) -> NDArray[np.float32]:
        """Four cells, the hotter the nearer their colour is to the text's."""
        side = images_BHWC.shape[1] // 2
        cells = [images_BHWC[:, y : y + side, x : x + side] for y in (0, side) for x in (0, side)]
        vectors_B4E = np.stack([self.embed_images(cell) for cell in cells], axis=1)
        cosines_BYX = (vectors_B4E @ self.embed_texts([text])[0]).reshape(-1, 2, 2)
        return np.clip(cosines_BYX, 0, 1).astype(np.float32)

    def explain_words(
        self, images_BHWC: NDArray[np.uint8], caption: str, between: object = None
    ) -> tuple[FakeWordHeat, ...]:
        words = caption.split()
        return tuple(
            FakeWordHeat(word=word, heat_BYX=self.explain(images_BHWC, word)) for word in words
        )

    def score(self, images_BHWC: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        return self.embed_images(images_BHWC) @ self.embed_texts(texts).T

    def close(self) -> None:
        return None

    def __enter__(self) -> FakeBackend:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class SlowBackend(FakeBackend):
    """The fake, a tenth of a second a picture."""

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(0.1 * len(images_BHWC))
        return super().embed_images(images_BHWC)
