"""Tokenizers of open_clip's models: CLIP's own, and those that came with other models."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.fetching import fetch_small
from cocadesk.model.checkpoints.weight_files import first_line

if TYPE_CHECKING:
    import torch

    from cocadesk.model.checkpoints.open_clip_towers import SearchTowers

log = logging.getLogger(__name__)
Tokenize: TypeAlias = "Callable[[Sequence[str]], torch.Tensor]"
"""Gives the ids of texts, (B, T) int64, as long as the model's context."""
_FILE, _CONFIG, _SPECIAL = hub.TOKENIZER_FILES
_COMMAND = "pip install transformers sentencepiece"


def foreign_tokenizer(package: Any, towers: SearchTowers) -> Tokenize:
    """The tokenizer of a model; ``package`` is open_clip.

    One with a file ``tokenizer.json`` is read by ``tokenizers``; others need transformers.

    Raises:
        UserError: its files are not on this machine, or transformers are needed and not here.
    """
    text = towers.settings["text_cfg"]
    length = int(text.get("context_length", package.tokenizer.DEFAULT_CONTEXT_LENGTH))
    words = dict(text.get("tokenizer_kwargs") or {})
    name = text.get("hf_tokenizer_name")
    if not name:
        tokenize: Tokenize = package.SimpleTokenizer(context_length=length, **words)
        return tokenize
    for folder in _folders(towers, name):
        if (folder / _FILE).is_file() and not text.get("tokenizer_mode"):
            return _of_file(package, folder, length, words)
    return _by_transformers(package, towers, name, length, words)


def _folders(towers: SearchTowers, name: str) -> Iterator[Path]:
    """The places where a tokenizer's files may lie: beside the weights, in the hub's cache."""
    yield towers.weights.parent
    try:
        repository = hub.parse_repository(f"{hub.PREFIX}{name}")
    except UserError:  # "roberta-base" has no organisation
        repository = hub.Repository(name=name)
    snapshots = repository.folder / "snapshots"
    yield from sorted(snapshots.glob("*")) if snapshots.is_dir() else ()
    if towers.fetch:
        try:
            yield fetch_small(repository, hub.TOKENIZER_FILES)
        except OSError as error:
            log.warning("The tokenizer of %s was not fetched: %s", towers.name, error)


def _of_file(package: Any, folder: Path, length: int, words: dict[str, Any]) -> Tokenize:
    import torch
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / _FILE))
        pad, separator = (_special(folder, token) for token in ("pad_token", "sep_token"))
        pad_id = tokenizer.token_to_id(pad) if pad is not None else 0
        tokenizer.enable_truncation(length)
        tokenizer.enable_padding(length=length, pad_id=pad_id or 0, pad_token=pad or "<pad>")
        clean = package.tokenizer.get_clean_fn(words.get("clean", "whitespace"))
    except Exception as error:  # the package raises this type itself
        raise UserError(
            tr("The tokenizer {path} cannot be read.", path=folder / _FILE),
            f"{first_line(error)}.",
            tr("Fetch the model again."),
        ) from error
    strips = bool(words.get("strip_sep_token"))
    stripped = tokenizer.token_to_id(separator) if strips and separator is not None else None

    def tokenize(texts: Sequence[str]) -> torch.Tensor:
        rows = tokenizer.encode_batch([clean(text) for text in texts])
        ids = torch.tensor([row.ids for row in rows], dtype=torch.int64)
        return ids if stripped is None else ids.masked_fill(ids == stripped, 0)

    return tokenize


def _special(folder: Path, token: str) -> str | None:
    """A special token by its role, as the files beside the tokenizer name it."""
    for name in (_CONFIG, _SPECIAL):
        try:
            found = json.loads((folder / name).read_text("utf-8")).get(token)
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(found, dict):
            found = found.get("content")
        if isinstance(found, str):
            return found
    return None


def _by_transformers(
    package: Any, towers: SearchTowers, name: str, length: int, words: dict[str, Any]
) -> Tokenize:
    if find_spec("transformers") is None:
        raise UserError(
            tr("The model {towers} needs a tokenizer that is not here.", towers=towers.name),
            tr(
                "Neither is its file {file} beside the weights or in the hub's cache "
                "({name}), nor is transformers installed, which can read others.",
                file=_FILE,
                name=name,
            ),
            tr(
                "Put the file beside {weights}, or: {command}",
                weights=towers.weights,
                command=_COMMAND,
            ),
        )
    mode = towers.settings["text_cfg"].get("tokenizer_mode")
    error: Exception | None = None
    for place in (*(str(folder) for folder in _folders(towers, name)), name):
        is_name = place == name
        if is_name and not towers.fetch:
            break
        try:
            tokenize: Tokenize = package.tokenizer.HFTokenizer(
                place,
                context_length=length,
                tokenizer_mode=mode,
                **words,
                **({} if is_name else {"local_files_only": True}),
            )
            return tokenize
        except Exception as failed:  # noqa: BLE001 - whatever transformers raises: the next place may do
            error = failed
    raise UserError(
        tr("The tokenizer of the model {towers} cannot be opened.", towers=towers.name),
        f"{first_line(error)}."
        if error
        else tr("Its files ({name}) are not on this machine.", name=name),
        tr(
            "Put its files beside {weights}, or: {command}",
            weights=towers.weights,
            command=_COMMAND,
        ),
    ) from error
