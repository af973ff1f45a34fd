"""Config dataclasses from parsed JSON or TOML, with sentences for what does not fit."""

from __future__ import annotations

import dataclasses
import difflib
from enum import StrEnum
from typing import Any, TypeVar

from cocadesk.errors import UserError

ConfigT = TypeVar("ConfigT")


def build_config(cls: type[ConfigT], raw: Any, where: str) -> ConfigT:
    """A config dataclass from parsed JSON or TOML; unknown names get the nearest match.

    Raises:
        UserError: a table is not a table, a name is unknown or a value has the wrong type.
    """
    if not isinstance(raw, dict):
        raise UserError(f"The {where} is not a table of settings.", f"It is {type(raw).__name__}.")
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean “{near[0]}”?" if near else f"Known are: {', '.join(known)}."
            raise UserError(f"The {where} has an unknown setting “{name}”.", "", hint)
        values[name] = _coerce(known[name], value, f"{where}, {name}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise UserError(f"The {where} cannot be used.", f"{error}.") from error


def _coerce(spec: dataclasses.Field[Any], value: Any, where: str) -> Any:
    default = (
        spec.default_factory()
        if spec.default_factory is not dataclasses.MISSING
        else (spec.default if spec.default is not dataclasses.MISSING else None)
    )
    if dataclasses.is_dataclass(default) and not isinstance(default, type):
        return build_config(type(default), value, where)
    if isinstance(default, StrEnum):
        try:
            return type(default)(value)
        except ValueError as error:
            names = ", ".join(type(default))
            raise UserError(
                f"The {where} cannot be “{value}”.", "", f"Choose one of: {names}."
            ) from error
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple):
            raise UserError(f"The {where} must be a list.", f"It is {value!r}.")
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and type(default) is not type(value):
        raise UserError(f"The {where} must be a {type(default).__name__}.", f"It is {value!r}.")
    return value
