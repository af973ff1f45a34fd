"""CLIP and SigLIP models of open_clip that are on this machine: for search alone.

They are not turned into a network of ours: open_clip itself runs them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints import hub, open_clip_names
from cocadesk.model.checkpoints.fetching import find_snapshot
from cocadesk.model.checkpoints.open_clip_config import SETTINGS, read_settings
from cocadesk.model.checkpoints.weight_files import PICKLE_SUFFIXES, SAFE_SUFFIX

_ENGLISH_WORDS = 64_000
_EXAMPLE = f"{hub.RELEASED_PREFIX}ViT-B-32//home/me/weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTowers:
    """The files of a model that can only search.

    ``settings`` are open_clip's ``model_cfg``. ``preprocessing`` is what stands beside the
    weights; of ``released`` ones (name and tag) open_clip knows it. ``fetch`` lets the
    tokenizer be fetched where it is not here.
    """

    name: str
    weights: Path
    settings: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    released: tuple[str, str] | None = None
    fetch: bool = False

    @property
    def is_multilingual(self) -> bool:
        """True where its vocabulary is of many languages: those of English have up to 50,000."""
        text = self.settings["text_cfg"]
        return int(text.get("vocab_size", 0)) > _ENGLISH_WORDS or any(
            name in str(text.get("hf_model_name", "")) for name in ("xlm", "mt5", "nllb")
        )

    def key(self) -> str:
        """Names these files as they are now, for what is kept about them."""
        real = self.weights.resolve()
        found = real.stat()
        parts = [self.name, str(real), str(found.st_size), str(found.st_mtime_ns)]
        parts += [json.dumps(part, sort_keys=True) for part in (self.settings, self.preprocessing)]
        digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:24]


def is_of_towers(settings: Mapping[str, Any]) -> bool:
    """True for the settings of a model with an image and a text tower, and no decoder."""
    model = settings.get("model_cfg", settings)
    if not isinstance(model, dict) or "multimodal_cfg" in model:
        return False
    return all(isinstance(model.get(part), dict) for part in ("vision_cfg", "text_cfg"))


def towers_beside(weights: Path, *, fetch: bool) -> SearchTowers | None:
    """The model of weights with open_clip's settings beside them; None where that is another.

    Raises:
        UserError: the settings cannot be read.
    """
    file = weights.with_name(SETTINGS)
    settings = read_settings(file) if file.is_file() else {}
    if not is_of_towers(settings):
        return None
    repository = hub.repository_name(weights)
    return SearchTowers(
        name=plain_name(repository.partition("/")[2] if repository else weights.parent.name),
        weights=weights,
        settings=settings.get("model_cfg", settings),
        preprocessing=settings.get("preprocess_cfg") or {},
        fetch=fetch,
    )


def named_towers(source: str, *, fetch: bool) -> SearchTowers:
    """The model of ``open_clip:NAME/TAG``, or of ``open_clip:NAME/`` and the path of a file.

    Raises:
        UserError: open_clip has no such model, or its weights are not here.
    """
    file_given = hub.named_file(source)
    if file_given is not None:
        return _of_file(*file_given)
    released = open_clip_names.released_name(source.removeprefix(hub.RELEASED_PREFIX))
    snapshot = find_snapshot(source, fetch=fetch)
    for file in (*hub.SAFE_WEIGHTS, *hub.PICKLED_WEIGHTS):
        if (snapshot / file).is_file():
            settings = open_clip_names.settings_of(released[0])
            if open_clip_names.weights_of(*released).is_quick_gelu:
                settings["quick_gelu"] = True
            return SearchTowers(
                name=plain_name("-".join(released)),
                weights=snapshot / file,
                settings=settings,
                preprocessing={},
                released=released,
                fetch=fetch,
            )
    raise UserError(
        tr("{source} cannot be used.", source=source),
        tr("{snapshot} holds no weights of open_clip.", snapshot=snapshot),
        tr("Fetch the model again, or give the path of its weights."),
    )


def _of_file(name: str, weights: Path) -> SearchTowers:
    settings = open_clip_names.settings_of(name)
    if "multimodal_cfg" in settings:
        raise UserError(
            tr("{name} is a CoCa model.", name=name),
            tr("CocaDesk reads it without being told its name."),
            tr("Give the file alone: {weights}", weights=weights),
        )
    if weights.suffix not in (SAFE_SUFFIX, *PICKLE_SUFFIXES) or not weights.is_file():
        raise UserError(
            tr("There are no weights in {weights}.", weights=weights),
            tr(
                "They are a file that ends in {suffixes}.",
                suffixes=", ".join((SAFE_SUFFIX, *PICKLE_SUFFIXES)),
            ),
            tr("Give the whole path of such a file: {example}.", example=_EXAMPLE),
        )
    beside = towers_beside(weights, fetch=False)
    return SearchTowers(
        name=plain_name(f"{name}-{weights.stem}"),
        weights=weights,
        settings=settings,
        preprocessing=beside.preprocessing if beside else {},
    )


def plain_name(name: str) -> str:
    """The name with nothing that a file's name could not have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"
