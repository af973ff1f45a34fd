"""The built wheel: what is in it, and that it finds its files without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.resources import resource_path
from tests.support.architecture import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built as a release is."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    """No tests, no tools."""
    with zipfile.ZipFile(wheel) as archive:
        roots = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" not in name}
    assert roots == {"cocadesk", "trainer", "ui"}


def test_the_installed_program_finds_its_files(wheel: Path, tmp_path: Path) -> None:
    """From the unpacked wheel alone, with the checkout nowhere on the path."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = "from cocadesk.resources import resource_path as p; print(p('samples', 'photos'))"
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    found = Path(done.stdout.strip())
    assert found == tmp_path / "site" / "cocadesk" / "resources" / "samples" / "photos"
    assert (found / "beach.jpg").is_file()


def test_the_checkout_finds_its_files(samples: Path) -> None:
    """The folder beside the package is used as it stands."""
    assert resource_path("samples", "photos") == samples


def test_a_missing_file_is_named_in_a_sentence() -> None:
    """The error says which file and what to do."""
    with pytest.raises(UserError, match=r"no/such/thing.*Install CocaDesk again"):
        resource_path("no", "such", "thing")
