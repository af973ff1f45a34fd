"""open_clip's models by name: its files of settings and its table of weights, read without it.

Importing open_clip brings torch and torchvision, which a look at a name does not need.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cocadesk.errors import UserError, tr


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Released weights: their place in the hub (empty where they are elsewhere alone).

    ``is_quick_gelu``: they were trained with another activation than the model's name says.
    """

    place: str
    is_quick_gelu: bool


def architectures() -> dict[str, Path]:
    """The files of settings of all models that it can build, by name; CoCa's are among them."""
    return {path.stem: path for path in sorted(_package().glob("model_configs/*.json"))}


def settings_of(name: str) -> dict[str, Any]:
    """The settings of a model (``model_cfg``).

    Raises:
        UserError: there is none of that name.
    """
    found = {_plain(known): path for known, path in architectures().items()}.get(_plain(name))
    if found is None:
        raise UserError(
            tr("open_clip has no model “{name}”.", name=name),
            _nearest(name, list(architectures())),
            tr("Give a name that it knows, for example open_clip:ViT-B-32/laion2b_s34b_b79k."),
        )
    settings: dict[str, Any] = json.loads(found.read_text("utf-8"))
    return settings


def released_name(wanted: str) -> tuple[str, str]:
    """Name and tag of released weights as open_clip spells them, from ``NAME/TAG``.

    Raises:
        UserError: it knows no such weights.
    """
    wanted_name, _, wanted_tag = wanted.rpartition("/")
    table = _released()
    name = {_plain(known): known for known in table}.get(_plain(wanted_name))
    if name is None:
        settings_of(wanted_name)  # says what is near
        raise UserError(
            tr("open_clip names no weights for “{wanted_name}”.", wanted_name=wanted_name),
            "",
            tr(
                "Give a file of yours: open_clip:{wanted_name}//home/me/weights.safetensors.",
                wanted_name=wanted_name,
            ),
        )
    tag = {_plain(known): known for known in table[name]}.get(_plain(wanted_tag))
    if tag is None:
        raise UserError(
            tr(
                "open_clip has no weights “{wanted_tag}” of {name}.",
                wanted_tag=wanted_tag,
                name=name,
            ),
            tr("It has: {tags}.", tags=", ".join(table[name])),
            tr("For example: open_clip:{name}/{next}", name=name, next=next(iter(table[name]))),
        )
    return name, tag


def weights_of(name: str, tag: str) -> Weights:
    """The facts of released weights, by names that ``released_name`` gave."""
    return _released()[name][tag]


def repository_of(name: str, tag: str) -> str:
    """``ORG/NAME`` of released weights in the hub.

    Raises:
        UserError: they lie elsewhere alone.
    """
    repository = "/".join(weights_of(name, tag).place.split("/")[:2])
    if repository.count("/") != 1:
        raise UserError(
            tr("The weights {tag} of {name} are not in the hub.", tag=tag, name=name),
            tr("open_clip fetches them from another place, which CocaDesk does not."),
            tr(
                "Fetch the file yourself and give it: open_clip:{name}//home/me/weights.pt.",
                name=name,
            ),
        )
    return repository


@cache
def _released() -> Mapping[str, Mapping[str, Weights]]:
    """All released weights by model and tag."""
    tree = ast.parse((_package() / "pretrained.py").read_text("utf-8"))
    parts: dict[str, dict[str, Weights]] = {}
    table: dict[str, dict[str, Weights]] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, value = node.targets[0].id, node.value
        if name != "_PRETRAINED" or not isinstance(value, ast.Dict):
            parts[name] = _tags(value)
            continue
        for key, model in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                known = parts.get(model.id, {}) if isinstance(model, ast.Name) else _tags(model)
                table[str(key.value)] = known
    for name in list(table):
        quick = {tag: weights for tag, weights in table[name].items() if weights.is_quick_gelu}
        if quick:
            table[f"{name}-quickgelu"] = quick
    return table


def _tags(node: ast.expr) -> dict[str, Weights]:
    """The weights of ``dict(tag=_cfg(hf_hub="…"), …)``."""
    found = {}
    for tag in node.keywords if isinstance(node, ast.Call) else ():
        if tag.arg is None or not isinstance(tag.value, ast.Call):
            continue
        words = {word.arg: _value(word.value) for word in tag.value.keywords}
        found[tag.arg] = Weights(
            place=str(words.get("hf_hub", "")), is_quick_gelu=bool(words.get("quick_gelu"))
        )
    return found


def _value(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _package() -> Path:
    """open_clip's folder.

    Raises:
        UserError: it is not installed.
    """
    found = find_spec("open_clip")
    if found is None or not found.submodule_search_locations:
        raise UserError(
            tr("open_clip is not installed."),
            tr("Models of other kinds than CoCa are run by it."),
            tr("Install it: pip install open_clip_torch."),
        )
    return Path(found.submodule_search_locations[0])


def _plain(text: str) -> str:
    return re.sub(r"[-/]", "_", text.lower())


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    plain = {_plain(one): one for one in known}
    near = [plain[one] for one in get_close_matches(_plain(name), list(plain), n=3)]
    return tr("Did you mean {names}?", names=", ".join(near)) if near else ""
