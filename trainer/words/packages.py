"""Data files of installed packages, found without importing them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from cocadesk.errors import UserError, tr


def package_file(package: str, name: str, what: str) -> Path:
    """A file or folder inside an installed package; ``what`` names it in the error.

    Raises:
        UserError: the package is not installed or has no such file.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.exists():
            return path
    raise UserError(
        tr("{what} is missing.", what=what),
        tr(
            "Training needs {name} of the package {package}, which is not installed here.",
            name=name,
            package=package,
        ),
        tr("Install it: pip install {package}", package=package.replace("_", "-")),
    )
