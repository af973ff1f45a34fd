"""Names of files and folders as whole queries: which media are called so."""

from __future__ import annotations

import numpy as np

from cocadesk.library.columns import Mask
from cocadesk.library.texts import Texts

_EXTENSION_LETTERS = 5


def named(texts: Texts, name: str) -> Mask:
    """The texts of file names in which a file has this name, with or without its extension."""
    mask = texts.equal(name)
    lengths = np.diff(texts.offsets) - len(name.encode())
    # A name alone that is much longer goes on behind the dot with more than an extension.
    alone = texts.starting(f"{name}.") & (lengths <= 1 + _EXTENSION_LETTERS)
    several = texts.containing("/")
    if several.any():
        several &= texts.starting(name) | texts.containing(f"/{name}")
    for code in np.flatnonzero(alone | several).tolist():
        mask[code] |= is_named(texts[code], name)
    return mask


def is_named(names: str, name: str) -> bool:
    """True where one of the names of a medium's files is this one, extension aside."""
    return any(one == name or one.rpartition(".")[0] == name for one in names.split("/"))


def in_folder(texts: Texts, name: str) -> Mask:
    """The texts of folders that lie in a folder of this name, below what all have in common."""
    names = [part for part in name.split("/") if part]
    if not names:
        return np.zeros(len(texts), np.bool_)
    return texts.containing(f"/{'/'.join(names)}/")
