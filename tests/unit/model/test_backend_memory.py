"""A backend without enough memory, with a failing accelerator, and with nothing to do."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import load_model, save_checkpoint
from cocadesk.model.device import FLOAT16, FLOAT32, DeviceChoice
from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.runtime import coca_backend
from cocadesk.model.runtime.captions import CaptionWriter
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.image_tower import Pooled
from cocadesk.model.runtime.lanes import apart
from cocadesk.model.runtime.network_parts import NetworkParts
from cocadesk.model.runtime.text_tower import NumpyTextTower
from cocadesk.model.runtime.torch import TorchImageTower, TorchTextTower
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import Caption, GenerationOptions, RuntimeLimits
from tests.support.configs import tiny_config
from tests.support.tiny_model import tiny_model, tiny_tokenizer, write_tiny_checkpoint

IMAGES = np.random.default_rng(1).integers(0, 255, (9, 64, 64, 3), dtype=np.uint8)
OPTIONS = GenerationOptions(beams=2, max_tokens=6, rerank_weight=1.0)
FULL = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint, and a cache folder of its own."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    return write_tiny_checkpoint(tmp_path / "model")


def opened(folder: Path, **more: object) -> CocaBackend:
    """The network on the CPU."""
    return CocaBackend(find_checkpoint(str(folder)), "cpu", **more)  # type: ignore[arg-type]


class SmallTower:
    """A tower with room for a few pictures; ``error`` is raised for more."""

    def __init__(self, tower: object, room: int, error: Exception = FULL) -> None:
        self._tower = tower
        self._room = room
        self._error = error
        self.sizes: list[int] = []

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        self.sizes.append(len(images_BHWC))
        if len(images_BHWC) > self._room:
            raise self._error
        assert callable(self._tower)
        found: Pooled = self._tower(images_BHWC)
        return found

    def vectors(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self(images_BHWC)[0]


@pytest.mark.parametrize("error", [FULL, MemoryError(), RuntimeError("std::bad_alloc")])
def test_pictures_without_memory_are_computed_in_halves_which_is_remembered(
    folder: Path, error: Exception
) -> None:
    """The same vectors; the next call, and the next start, begin with what fits."""
    with opened(folder) as backend:
        expected, tower = backend.embed_images(IMAGES), backend.image_tower
    for first in (9, 4):
        small = SmallTower(tower, 5, error)
        with opened(folder, image_tower=small) as backend:
            for _ in range(2):
                np.testing.assert_allclose(backend.embed_images(IMAGES), expected, atol=1e-5)
        assert small.sizes[0] == first
        assert small.sizes[1:].count(9) == 0
    assert len(list((folder.parent / "cache" / "batches").iterdir())) == 1


def test_captions_without_memory_are_written_in_halves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture's own, in order."""
    sizes: list[int] = []
    whole = CaptionWriter.write

    def write(self: CaptionWriter, pooled: Pooled, options: GenerationOptions) -> list[Caption]:
        sizes.append(len(pooled[0]))
        if len(pooled[0]) > 4:
            raise FULL
        return whole(self, pooled, options)

    with opened(folder) as backend:
        expected = [caption.text for caption in backend.caption(IMAGES, OPTIONS)]
        monkeypatch.setattr(CaptionWriter, "write", write)
        assert [caption.text for caption in backend.caption(IMAGES, OPTIONS)] == expected
        assert sizes == [9, 4, 4, 1]
        sizes.clear()
        backend.caption(IMAGES, OPTIONS)
        assert sizes == [4, 4, 1]


@pytest.mark.parametrize(("tower", "many"), [(NumpyTextTower, 1000), (TorchTextTower, 2)])
def test_texts_without_memory_are_computed_in_halves(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tower: type[NumpyTextTower], many: int
) -> None:
    """For queries and for many at once."""
    texts = ["a dog", "two children", "a red ball on the grass", "a", "night", "sky", "2014"]
    sizes: list[int] = []
    whole = tower.__call__

    def embed(self: NumpyTextTower, texts: Sequence[str]) -> NDArray[np.float32]:
        sizes.append(len(texts))
        if len(texts) > 3:
            raise MemoryError
        return whole(self, texts)

    limits = RuntimeLimits(large_text_tower=32, many_texts=many)
    with opened(folder, limits=limits) as backend:
        expected = backend.embed_texts(texts)
        monkeypatch.setattr(tower, "__call__", embed)
        np.testing.assert_allclose(backend.embed_texts(texts), expected, atol=1e-5)
    assert sizes == [7, 3, 3, 1]


def test_one_thread_alone_computes_in_torch_for_good(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenMP keeps each one's helpers for as long as it lives, and lets too many sleep."""
    seen: set[threading.Thread] = set()

    def noted(of: object, name: str) -> None:
        whole = getattr(of, name)

        def noting(*given: object) -> object:
            seen.add(threading.current_thread())
            return whole(*given)

        monkeypatch.setattr(of, name, noting)

    noted(TorchTextTower, "__call__")
    noted(CaptionWriter, "__init__")
    noted(CaptionWriter, "write")
    noted(TorchImageTower, "__call__")
    with opened(folder, limits=RuntimeLimits(large_text_tower=32, many_texts=2)) as backend:
        backend.embed_texts(["a dog", "night"])
        backend.caption(IMAGES[:2], OPTIONS)
        backend.embed_images(IMAGES)
        names = {thread.name for thread in seen if thread.is_alive()}
        assert len(seen) == 3
    assert names == {"images_0"}


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux does")
def test_work_apart_leaves_no_helper_behind() -> None:
    """In torch, whose helpers would stay with a thread that goes on; errors come through."""

    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    def work() -> float:
        if torch.get_num_threads() < 2:
            torch.set_num_threads(2)
        return float(torch.ones(1_000_000).mul_(2).sum())

    limit, before = torch.get_num_threads(), threads()
    try:
        for _ in range(20):  # other threads of the test run come and go
            assert apart(work) == 2_000_000
        end_s = time.monotonic() + 30
        while threads() > before + 10 and time.monotonic() < end_s:
            time.sleep(0.01)
        assert threads() <= before + 10
        with pytest.raises(ZeroDivisionError):
            apart(lambda: 1 / 0)
    finally:
        torch.set_num_threads(limit)


def test_a_computer_without_room_for_one_picture_says_what_to_do(folder: Path) -> None:
    """A sentence; texts are still embedded, and any other error is what it is."""
    with opened(folder, image_tower=SmallTower(None, 0)) as backend:
        with pytest.raises(UserError, match=r"memory .* does not suffice .* Close other programs"):
            backend.embed_images(IMAGES)
        assert backend.embed_texts(["a dog"]).shape == (1, 32)
    with (
        opened(folder, image_tower=SmallTower(None, 0, RuntimeError("shapes differ"))) as backend,
        pytest.raises(RuntimeError, match="shapes differ"),
    ):
        backend.embed_images(IMAGES)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> DeviceChoice:
    """A card that is chosen, and which the installed torch may not even know."""
    return chosen(monkeypatch, FLOAT16)


def chosen(monkeypatch: pytest.MonkeyPatch, dtype: str) -> DeviceChoice:
    """Lets such a card be chosen."""
    found = DeviceChoice(device="cuda", reason="it computes", dtype=dtype, name="GeForce X")
    monkeypatch.setattr(coca_backend, "choose_device", lambda _wanted: found)
    return found


@pytest.mark.skipif(torch.version.cuda is not None, reason="the card must not work")
@pytest.mark.usefixtures("gpu")
def test_an_accelerator_that_takes_no_network_is_left_for_the_cpu(folder: Path) -> None:
    """For pictures, captions and many texts; ``info`` tells."""
    with opened(folder) as backend:
        assert (backend.info().device, backend.info().precision) == ("cuda", "float16")
        found = backend.embed_images(IMAGES), backend.caption(IMAGES[:2], OPTIONS)
        info = backend.info()
        assert (info.device, info.precision) == ("cpu", "float32")
        assert info.reason.startswith("GeForce X is not used: ")
    with opened(folder) as backend:
        captions = backend.caption(IMAGES[:2], OPTIONS)
        assert [c.text for c in captions] == [c.text for c in found[1]]
        np.testing.assert_allclose(backend.embed_images(IMAGES), found[0], atol=1e-5)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError("CUDA error: unspecified launch failure\nhints"), "unspecified launch"),
        (FULL, "its memory does not suffice"),
    ],
)
def test_an_accelerator_that_fails_in_the_middle_is_left_for_the_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    """The job goes on: the same pictures are computed again, as many at once as ever."""
    chosen(monkeypatch, FLOAT32)
    sizes: list[int] = []

    class Failing:
        """Fails until the CPU has its place."""

        def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
            if backend.info().device != "cpu":
                raise error
            sizes.append(len(images_BHWC))
            return tower(images_BHWC)

        def vectors(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
            return self(images_BHWC)[0]

    tower = TorchImageTower(load_model(find_checkpoint(str(folder))), "cpu")
    with opened(folder, image_tower=Failing()) as backend:
        vectors = backend.embed_images(IMAGES)
        assert why in backend.info().reason
    assert sizes == [9], "how few fitted on the card says nothing of the CPU"
    np.testing.assert_allclose(vectors, tower(IMAGES)[0], atol=1e-5)


def test_a_part_that_is_opened_while_the_accelerator_is_left_is_opened_again(
    folder: Path, gpu: DeviceChoice
) -> None:
    """Else it would stay on the card that has failed, with all that comes later."""
    parts = NetworkParts(find_checkpoint(str(folder)), gpu, RuntimeLimits())
    leaving = threading.Thread(target=parts.leave_accelerator, args=(FULL, gpu))
    devices: list[str] = []

    def opened() -> str:
        devices.append(parts.device.device)
        if not devices[1:]:
            leaving.start()
            while parts.device.device != "cpu":
                time.sleep(0.001)
        return devices[-1]

    assert parts._part("texts", opened) == "cpu"
    leaving.join(10)
    assert devices == ["cuda", "cpu"]


def test_what_is_idle_is_freed_and_opened_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Tower, network and writer; the same answers before and after, and texts all the while."""
    now = [0.0]
    with opened(folder, idle_s=600, clock=lambda: now[0]) as backend:
        vectors = backend.embed_images(IMAGES)
        captions = backend.caption(IMAGES[:3], OPTIONS)
        tower = backend.image_tower
        now[0] = 500
        backend.embed_texts(["a dog"])
        now[0] = 1000
        assert not backend.idle.look(), "a search was made meanwhile"
        now[0] = 1101
        with caplog.at_level(logging.INFO, logger="cocadesk.model.runtime"):
            assert backend.idle.look()
        assert "network" in caplog.text
        assert backend.embed_texts(["a dog"]).shape == (1, 32)
        np.testing.assert_allclose(backend.embed_images(IMAGES), vectors, atol=1e-6)
        assert backend.image_tower is not tower
        assert backend.caption(IMAGES[:3], OPTIONS) == captions


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own count of memory is read")
def test_memory_goes_back_to_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of what a network of some size took, in a process without freed memory of others."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))

    config = tiny_config(kind=ImageEncoderKind.VIT)
    image = replace(config.image, width=512, layers=12, heads=8, mlp_width=2048)
    save_checkpoint(
        tmp_path / "model", tiny_model(config=replace(config, image=image)), tiny_tokenizer(), ""
    )

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        taken, left = alone.submit(_memory_of_a_tower, tmp_path / "model").result()
    assert taken > 100 << 20
    assert left < taken / 2


def _memory_of_a_tower(folder: Path) -> tuple[int, int]:
    """The bytes that a tower takes, and that are left of them after its time."""

    def resident() -> int:
        words = Path("/proc/self/statm").read_text().split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE")

    now = [0.0]
    limits = RuntimeLimits(large_vit=10_000)  # torch, whose weights stay mapped
    with opened(folder, limits=limits, clock=lambda: now[0]) as backend:
        backend.embed_texts(["a dog"])
        before = resident()
        backend.embed_images(IMAGES)
        taken = resident() - before
        now[0] = 1000
        assert backend.idle.look()
        return taken, resident() - before
