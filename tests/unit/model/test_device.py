"""One decision about device and arithmetic: what works is taken, what is here is named."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model import device, graphics_cards
from cocadesk.model.device import (
    BFLOAT16,
    DEVICE_VARIABLE,
    FLOAT16,
    FLOAT32,
    TorchBuild,
    build_in,
    choose_device,
    dtype_of,
    torch_build,
)
from cocadesk.model.graphics_cards import GraphicsCard
from cocadesk.model.graphics_cards import graphics_cards as cards_of

_GEFORCE = GraphicsCard(name="NVIDIA GeForce RTX 3060", kind="cuda")
_CPU_BUILD = TorchBuild(version="2.13.0+cpu")
_CUDA_BUILD = TorchBuild(version="2.13.0+cu130", cuda=True)


def write(root: Path, files: Mapping[str, str]) -> Path:
    """A system's files under ``root``."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def pci(place: str, vendor: str, number: str, **more: str) -> dict[str, str]:
    """What the kernel says of a display device."""
    folder = f"sys/bus/pci/devices/{place}"
    given = {"class": "0x030000\n", "vendor": f"{vendor}\n", "device": f"{number}\n", **more}
    return {f"{folder}/{name}": text for name, text in given.items()}


@pytest.fixture
def no_nvidia_smi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NVIDIA's program."""
    monkeypatch.setattr(graphics_cards.shutil, "which", lambda _name: None)


@pytest.fixture
def of_card(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A computer with a GeForce."""
    monkeypatch.setattr(device, "graphics_cards", lambda: (_GEFORCE,))
    return monkeypatch


PCI_IDS = (
    "# a list\n1002  Advanced Micro Devices\n\t73ff  Navi 23 [Radeon RX 6600]\n"
    "8086  Intel Corporation\n\t46a6  Alder Lake-P [Iris Xe]\n\t56a0  DG2 [Arc A770]\n"
    "10de  NVIDIA Corporation\n\t2503  GA106 [GeForce RTX 3060]\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
@pytest.mark.usefixtures("no_nvidia_smi")
def test_cards_are_known_by_what_the_kernel_says(tmp_path: Path) -> None:
    """NVIDIA's, large ones of AMD's and Intel's Arc; not those inside a processor."""
    about = "proc/driver/nvidia/gpus/0000:01:00.0/information"
    system = write(
        tmp_path,
        {
            **pci("0000:01:00.0", "0x10de", "0x2503"),
            about: "Model: \t NVIDIA GeForce RTX 3060\nIRQ: 1\n",
            **pci("0000:02:00.0", "0x1002", "0x73ff", mem_info_vram_total=str(8 << 30)),
            **pci("0000:03:00.0", "0x1002", "0x1638", mem_info_vram_total=str(512 << 20)),
            **pci("0000:04:00.0", "0x8086", "0x46a6"),
            **pci("0000:05:00.0", "0x8086", "0x56a0"),
            "sys/bus/pci/devices/0000:06:00.0/class": "0x020000\n",
            "usr/share/misc/pci.ids": PCI_IDS,
        },
    )
    assert cards_of(system) == (
        _GEFORCE,
        GraphicsCard(name="AMD Radeon RX 6600", kind="cuda"),
        GraphicsCard(name="Intel Arc A770", kind="xpu"),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
@pytest.mark.usefixtures("no_nvidia_smi")
def test_a_card_without_a_driver_and_without_a_list_of_names_has_its_makers(tmp_path: Path) -> None:
    """Or the name in the list, where there is one; a computer without cards has none."""
    bare = write(tmp_path / "bare", pci("0000:01:00.0", "0x10de", "0x2503"))
    assert cards_of(bare) == (GraphicsCard(name="NVIDIA graphics card", kind="cuda"),)
    listed = write(tmp_path / "listed", pci("0000:01:00.0", "0x10de", "0x2503"))
    write(listed, {"usr/share/hwdata/pci.ids": PCI_IDS})
    assert cards_of(listed) == (GraphicsCard(name="NVIDIA GeForce RTX 3060", kind="cuda"),)
    assert cards_of(tmp_path / "none") == ()


@pytest.mark.skipif(sys.platform != "linux", reason="a shell script stands in for the program")
def test_nvidias_program_is_asked_where_no_pci_device_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Windows' Linux; one that hangs or fails is as good as none."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA GeForce RTX 3060 (UUID: GPU-1)'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert cards_of(tmp_path / "one") == (_GEFORCE,)
    assert graphics_cards.has_nvidia_driver(tmp_path / "one")
    program.write_text("#!/bin/sh\nexit 9\n")
    assert cards_of(tmp_path / "two") == ()


def test_windows_cards_are_read_from_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their drivers' descriptions; one of AMD's needs memory of its own."""

    class Key(dict[str, Any]):
        def __enter__(self) -> Key:
            return self

        def __exit__(self, *_: object) -> None: ...

    size = "HardwareInformation.qwMemorySize"
    cards = Key(
        {
            "0000": Key(DriverDesc="NVIDIA GeForce RTX 3060"),
            "0001": Key({"DriverDesc": "AMD Radeon(TM) Graphics", size: 512 << 20}),
            "0002": Key({"DriverDesc": "AMD Radeon RX 6600", size: 8 << 30}),
            "0003": Key(DriverDesc="Intel(R) Arc(TM) A770 Graphics"),
            "0004": Key(),
            "Properties": Key(),
        }
    )

    def read(key: Key, name: str) -> tuple[object, int]:
        if name not in key:
            raise FileNotFoundError(name)
        return key[name], 1

    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=None,
        OpenKey=lambda where, name: cards if where is None else where[name],
        QueryInfoKey=lambda key: (len(key), 0, 0),
        EnumKey=lambda key, number: list(key)[number],
        QueryValueEx=read,
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert graphics_cards._of_windows() == [
        _GEFORCE,
        GraphicsCard(name="AMD Radeon RX 6600", kind="cuda"),
        GraphicsCard(name="Intel(R) Arc(TM) A770 Graphics", kind="xpu"),
    ]


@pytest.mark.parametrize(
    ("said", "build"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n", 0),
        ("__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\nhip = None\n", 1),
    ],
)
def test_a_build_is_known_by_its_version_file(tmp_path: Path, said: str, build: int) -> None:
    """Nothing of torch runs."""
    write(tmp_path, {"version.py": f"from typing import Optional\n{said}"})
    assert build_in(tmp_path) == (_CPU_BUILD, _CUDA_BUILD)[build]
    assert build_in(tmp_path / "none") is None


def test_the_installed_build_is_torchs_own() -> None:
    """As torch says it of itself."""
    found = torch_build()
    assert found is not None
    assert found.version == torch.__version__
    assert found.cuda == (torch.version.cuda is not None)


def test_a_card_that_this_torch_cannot_use_is_named_with_the_command_that_helps(
    of_card: pytest.MonkeyPatch,
) -> None:
    """In one sentence, beside the CPU that is taken."""
    of_card.setattr(device, "torch_build", lambda: _CPU_BUILD)
    found = choose_device()
    assert found.device == "cpu"
    assert found.reason.startswith(
        "NVIDIA GeForce RTX 3060 is here, but the installed PyTorch (2.13.0+cpu) has no CUDA: "
        "uv pip install --torch-backend=auto "
    )
    assert sys.executable in found.reason


def test_a_card_without_its_driver_is_named(of_card: pytest.MonkeyPatch) -> None:
    """The build would do."""
    of_card.setattr(device, "torch_build", lambda: _CUDA_BUILD)
    of_card.setattr(device, "has_nvidia_driver", lambda: False)
    assert choose_device().reason == (
        "NVIDIA GeForce RTX 3060 is here, but no NVIDIA driver was found: "
        "install the driver of the card"
    )


@pytest.mark.skipif(torch.version.cuda is not None, reason="torch is asked, and must have no CUDA")
def test_what_torch_itself_says_is_told(of_card: pytest.MonkeyPatch) -> None:
    """A driver that is too old, for example: torch warns, and finds no device."""
    of_card.setattr(device, "torch_build", lambda: _CUDA_BUILD)
    of_card.setattr(device, "has_nvidia_driver", lambda: True)
    found = choose_device()
    assert "NVIDIA GeForce RTX 3060 is here, but PyTorch finds no CUDA device" in found.reason


def test_a_card_that_runs_no_kernels_is_left_for_the_cpu(of_card: pytest.MonkeyPatch) -> None:
    """One that is too old for the build fails at its first product, and it is told."""
    of_card.setattr(device, "torch_build", lambda: _CUDA_BUILD)
    of_card.setattr(device, "has_nvidia_driver", lambda: True)
    of_card.setattr(torch.cuda, "is_available", lambda: True)
    of_card.setattr(torch.cuda, "get_device_name", lambda: _GEFORCE.name)
    of_card.setattr(torch.cuda, "get_device_capability", lambda: (5, 2))
    of_card.setattr(device, "_failure", lambda _kind, _dtype: "no kernel image is available\n…")
    found = choose_device()
    assert found.device == "cpu"
    assert "does not run this PyTorch (2.13.0+cu130): no kernel image is available" in found.reason


@pytest.mark.parametrize(
    ("capability", "dtype"), [((8, 6), BFLOAT16), ((7, 5), FLOAT16), ((6, 1), FLOAT32)]
)
def test_a_card_that_works_is_taken_in_the_arithmetic_of_its_generation(
    of_card: pytest.MonkeyPatch, capability: tuple[int, int], dtype: str
) -> None:
    """Its name stands in the reason."""
    of_card.setattr(device, "torch_build", lambda: _CUDA_BUILD)
    of_card.setattr(device, "has_nvidia_driver", lambda: True)
    of_card.setattr(torch.cuda, "is_available", lambda: True)
    of_card.setattr(torch.cuda, "get_device_name", lambda: _GEFORCE.name)
    of_card.setattr(torch.cuda, "get_device_capability", lambda: capability)
    of_card.setattr(device, "_failure", lambda _kind, _dtype: None)
    found = choose_device()
    assert (found.device, found.dtype, found.name) == ("cuda", dtype, _GEFORCE.name)
    assert found.reason == "NVIDIA GeForce RTX 3060 computes here"


def test_the_probe_really_computes() -> None:
    """On the CPU, which stands in: in each arithmetic; a device that is none says why."""
    assert [device._failure("cpu", dtype) for dtype in (FLOAT32, BFLOAT16)] == [None, None]
    if torch.version.cuda is None:
        assert "CUDA" in str(device._failure("cuda", FLOAT32))


def test_a_computer_without_a_card_gives_a_short_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to install what could not help."""
    monkeypatch.setattr(device, "graphics_cards", lambda: ())
    monkeypatch.setattr(device, "torch_build", lambda: _CPU_BUILD)
    assert choose_device().reason == "no graphics card was found that PyTorch could use"
    monkeypatch.setattr(device, "torch_build", lambda: None)
    assert choose_device().device == "cpu"


def test_the_environment_may_name_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a card that is broken or busy; whoever asks in the program goes first."""
    monkeypatch.setenv(DEVICE_VARIABLE, "cpu")
    assert choose_device().reason == "the CPU was asked for"
    monkeypatch.setenv(DEVICE_VARIABLE, "tpu")
    assert choose_device("cpu").device == "cpu"
    with pytest.raises(UserError, match="There is no device “tpu”"):
        choose_device()


def test_a_cpu_multiplies_in_bfloat16_where_its_flags_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AVX512-BF16 or AMX; other devices by their kind."""
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nflags\t\t: fpu sse2 avx512_bf16 amx_tile\n")
    assert device._cpu_has_bfloat16(info)
    info.write_text("processor : 0\nflags\t\t: fpu sse2 avx2\n")
    assert not device._cpu_has_bfloat16(info)
    assert not device._cpu_has_bfloat16(tmp_path / "none")
    monkeypatch.setattr(device, "_cpu_has_bfloat16", lambda: False)
    assert [dtype_of(kind) for kind in ("cpu", "xpu", "mps")] == [FLOAT32, BFLOAT16, FLOAT16]
