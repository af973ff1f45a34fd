"""The pinned releases: complete, and the pairs that must stay together."""

from __future__ import annotations

import re
import sys
import tomllib

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex

from tests.support.architecture import ROOT


def normal(name: str) -> str:
    """A package's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """Package name to release, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): release for name, release in pairs}


def test_every_declared_dependency_is_pinned() -> None:
    """A new dependency comes with the release it was tested with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(name for extra in extras for name in extra)]
    names = {normal(re.split(r"[<>=!~;\[ ]", text, maxsplit=1)[0]) for text in declared}
    assert names - set(pins()) == set()


def test_torch_and_torchvision_are_pinned_as_a_pair() -> None:
    """Without both, open_clip_torch pulls another torch, and with it gigabytes of CUDA."""
    assert pins()["torch"] == "2.13.0"
    assert pins()["torchvision"] == "0.28.0"


def test_no_pin_names_a_local_version() -> None:
    """A release such as 2.13.0+cpu exists on one kind of machine only."""
    assert [name for name, release in pins().items() if "+" in release] == []


class _SilentRows(QAbstractListModel):
    """Rows without data: Qt asks, Python answers None."""

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: N802
        return 4000

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> None:
        return None


def test_qt_keeps_the_references_of_none() -> None:
    """PySide6 6.12.0 drops one each time data() answers None; enough of them end the process."""
    model = _SilentRows()
    before = sys.getrefcount(None)
    for row in range(model.rowCount()):
        model.index(row).data()
    assert sys.getrefcount(None) > before - 1000
