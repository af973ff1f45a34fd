"""The general set that ships: everyday sentences, and pictures with our captions."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass

from cocadesk.errors import UserError
from cocadesk.resources import resource_path
from trainer.tuning.dataset import TuningPhoto


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralSet:
    """The knowledge that tuning must not lose.

    The captions of ``photos`` only measure. Two in three of the pictures (``replayed``) are
    shown to the decoder, with captions of the untuned model.
    """

    photos: tuple[TuningPhoto, ...]
    sentences: tuple[str, ...]

    @property
    def replayed(self) -> tuple[int, ...]:
        """Numbers of the photos that are replayed."""
        return tuple(i for i in range(len(self.photos)) if i % 3)

    @property
    def unseen(self) -> tuple[int, ...]:
        """Numbers of the others: captions are measured on them."""
        return tuple(range(0, len(self.photos), 3))


def load_general() -> GeneralSet:
    """Reads the shipped set.

    Raises:
        UserError: a shipped file is missing or damaged.
    """
    sentences = resource_path("general", "sentences.txt")
    table = resource_path("samples", "photos.toml")
    folder = resource_path("samples", "photos")
    try:
        lines = sentences.read_text("utf-8").splitlines()
        photos = tuple(
            TuningPhoto(path=os.fsencode(folder / f"{row['name']}.jpg"), captions=(row["caption"],))
            for row in tomllib.loads(table.read_text("utf-8"))["photo"]
        )
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            "The general set that ships with CocaDesk cannot be read.",
            f"{error}.",
            "Install CocaDesk again.",
        ) from error
    return GeneralSet(
        photos=photos, sentences=tuple(t for t in lines if t and not t.startswith("#"))
    )
