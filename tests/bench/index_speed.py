"""The speed of an index against a plain loop, and of reading and embedding alone.

The plain loop: Pillow decodes the whole picture, torch (fp32) embeds one at a time, thumbnail
and EXIF are read, one row is written a photo. Both take turns with the same files in one
process, their model and our decoders ready before the clock starts; it runs from the first
file to the last commit. A ratio is the median over the turns.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.pictures import embed_photos
from cocadesk.library.library import Library
from cocadesk.locations import cache_folder
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.shards import read_shards
from cocadesk.media.types import DecodeRequest
from cocadesk.model.backend import Backend, open_backend
from cocadesk.model.runtime import openvino as openvino_runtime
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.image_tower import HALF_BATCH
from tests.bench.figures import Figure
from tests.bench.many_files import run_to_end
from tests.support.raw_files import dng

SMALL, JPEG, HEIC = "224-px files", "5-megapixel JPEGs", "12-megapixel HEICs"
_LIMITS = {SMALL: (4, 6), JPEG: (6, 10), HEIC: (3, 5)}
_JPEG_PX, _RAW_PX = (2592, 1944), (4000, 3000)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedPlan:
    """The sizes of one run. ``media`` holds phones' photos; without it HEIC is not measured.

    The plain loop, which takes as long for each photo, reads one of ``plain_every``.
    """

    folder: Path
    shards: tuple[Path, ...]
    media: Path
    small: int = 400
    jpegs: int = 150
    """Of 60 a twelfth of the time was the opening of the library."""
    heic_copies: int = 3
    raws: int = 4
    embedded: int = 512
    turns: int = 3
    plain_every: int = 1


class PlainLoop:
    """A first script's way."""

    def __init__(self, source: str, store: Path) -> None:
        import lancedb
        import pyarrow as pa

        from cocadesk.model.checkpoints.checkpoint import load_model
        from cocadesk.model.runtime.torch import TorchImageTower
        from cocadesk.model.source import find_checkpoint

        checkpoint = find_checkpoint(source)
        self._size_px = checkpoint.config.image.size_px
        self._tower = TorchImageTower(load_model(checkpoint), "cpu")
        vector = pa.list_(pa.float32(), checkpoint.config.vector_dim)
        schema = pa.schema([("path", pa.string()), ("exif", pa.string()), ("vector", vector)])
        self._thumbnails = store / "thumbnails"
        self._thumbnails.mkdir(parents=True)
        self._table = lancedb.connect(str(store)).create_table("photos", schema=schema)
        self._embed(np.zeros((self._size_px, self._size_px, 3), np.uint8))

    def _embed(self, image_HWC: Any) -> Any:
        return self._tower(image_HWC[None])[0][0]

    def index(self, number: int, path: Path) -> None:
        """Decode, embed, thumbnail, metadata, one row."""
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            exif = {int(tag): str(value) for tag, value in opened.getexif().items()}
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        square = picture.resize((self._size_px, self._size_px), Image.Resampling.BICUBIC)
        vector = self._embed(np.array(square))
        picture.thumbnail((320, 320))
        picture.save(self._thumbnails / f"{number}.jpg", quality=85)
        row = {
            "path": str(path),
            "exif": json.dumps(exif),
            "vector": vector / np.linalg.norm(vector),
        }
        self._table.add([row])


def plain_s(loop: PlainLoop, photos: Sequence[Path]) -> float:
    """Seconds of the plain loop for a photo."""
    start = time.perf_counter()
    for number, path in enumerate(photos):
        loop.index(number, path)
    return (time.perf_counter() - start) / len(photos)


def index_s(backend: Backend, pool: DecoderPool, photos: Path, folder: Path) -> float:
    """Seconds of our index for a photo."""
    count = len(list(photos.iterdir()))
    with Library.open(folder) as library:
        start = time.perf_counter()
        report = run_to_end(index_steps(library, backend, [os.fsencode(photos)], pool=pool))
        seconds = time.perf_counter() - start
    assert report.indexed == count, report
    return seconds / count


def pictures(plan: SpeedPlan, size: tuple[int, int]) -> Iterator[Image.Image]:
    """Different photos of a size, with the noise of a sensor."""
    rng = np.random.default_rng(0)
    for sample in read_shards(plan.shards):
        with Image.open(io.BytesIO(sample.image)) as opened:
            large = opened.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        noise = rng.normal(0, 4, (size[1], size[0], 1))
        yield Image.fromarray(np.clip(np.asarray(large) + noise, 0, 255).astype(np.uint8))


def make_files(plan: SpeedPlan) -> Iterator[tuple[str, Path]]:
    """A folder of photos for each kind."""
    small, jpegs, heics = (plan.folder / name for name in ("small", "jpegs", "heics"))
    for folder in (small, jpegs, heics):
        folder.mkdir(parents=True)
    for number, sample in enumerate(itertools.islice(read_shards(plan.shards), plan.small)):
        (small / f"{number:05d}{sample.suffix}").write_bytes(sample.image)
    yield SMALL, small
    for number, picture in enumerate(itertools.islice(pictures(plan, _JPEG_PX), plan.jpegs)):
        picture.save(jpegs / f"{number:05d}.jpg", quality=90)
    yield JPEG, jpegs
    pi_heif.register_heif_opener()
    for photo in sorted(plan.media.glob("f_heic_*.[hH][eE][iI][cC]")):
        with suppress(UnidentifiedImageError), Image.open(photo) as opened:  # some are damaged
            if opened.width * opened.height > 12e6:
                for copy in range(plan.heic_copies):
                    (heics / f"{copy}-{photo.name}").write_bytes(photo.read_bytes() + bytes(copy))
    if any(heics.iterdir()):
        yield HEIC, heics
    else:
        print(f"no 12-megapixel HEICs in {plan.media}: not measured")


def speed_figures(plan: SpeedPlan) -> Iterator[Figure]:
    """All of them, each when it is known."""
    with open_backend() as backend, DecoderPool(spec=backend.info().input_spec) as pool:
        loop = PlainLoop("starter", plan.folder / "plain")
        size_px = backend.info().input_spec.size_px
        backend.embed_images(np.zeros((1, size_px, size_px, 3), np.uint8))
        for kind, photos in make_files(plan):
            files = sorted(photos.iterdir())
            list(pool.decode(DecodeRequest(token=n, path=os.fsencode(files[0])) for n in range(4)))
            ratios, rates = [], []
            for turn in range(plan.turns):
                ours = index_s(backend, pool, photos, plan.folder / f"{photos.name}-{turn}")
                ratios.append(plain_s(loop, files[:: plan.plain_every]) / ours)
                rates.append(1 / ours)
            bar, aim = _LIMITS[kind] if plan.turns > 1 else (None, None)  # few: mostly the start
            yield Figure(name=f"index, {kind}", value=statistics.median(rates), unit="photos/s")
            yield Figure(
                name=f"index ÷ plain loop, {kind}",
                value=statistics.median(ratios), unit="×", bar=bar, aim=aim, is_most=False,
            )  # fmt: skip
        yield embedding_figure(plan, backend)
    yield raw_figure(plan)


def _ratio(one: Callable[[], object], other: Callable[[], object], turns: int) -> float:
    """The median time of ``other`` by that of ``one``, by turns."""
    one(), other()
    ratios = []
    for _ in range(turns):
        start = time.perf_counter()
        one()
        middle = time.perf_counter()
        other()
        ratios.append((time.perf_counter() - middle) / (middle - start))
    return statistics.median(ratios)


def _queues(whole: Path, halves: tuple[Any, Any] | None) -> list[Any]:
    """OpenVINO's own queues for a compiled model, or for each of its halves."""
    openvino = openvino_runtime.openvino()
    parts = [(str(whole), "f32")] if halves is None else zip(halves, ("f32", "bf16"), strict=True)
    queues = []
    for part, precision in parts:
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        compiled = openvino.Core().compile_model(part, "CPU", settings)
        queues.append(openvino.AsyncInferQueue(compiled))
    return queues


def embedding_figure(plan: SpeedPlan, backend: Backend) -> Figure:
    """The embedding of decoded photos as an index does it against OpenVINO's own queues.

    In the same halves and precision: what bfloat16 gains is seen in the other figures.
    """
    assert isinstance(backend, CocaBackend)
    spec = backend.info().input_spec
    samples = itertools.islice(read_shards(plan.shards), plan.embedded)
    photos = {str(n): decode_photo(one.image, spec) for n, one in enumerate(samples)}
    # The parts of panoramas too: an index embeds them as well.
    ready = [one[None] for photo in photos.values() for one in (photo.input_HWC, *photo.box_inputs)]
    info = backend.info()
    compiled = cache_folder() / "compiled"
    own = [*compiled.glob(f"{info.image_id}-*.xml"), *compiled.glob(f"{info.model_id}-*.xml")]
    newest = max(own, key=lambda path: path.stat().st_mtime)
    halves = None
    if backend.info().precision == "bfloat16":
        halves = openvino_runtime.halves(newest, spec.size_px)
    # On the thread of an index's pictures, which has a lower priority, as have those it starts.
    lane = backend._images
    queues = lane.submit(_queues, newest, halves).result()
    taken: list[NDArray[np.float32]] = []
    lock = threading.Lock()

    def go_on(request: Any, _: object) -> None:
        """The second half takes some pictures at once. On OpenVINO's threads."""
        given = np.array(request.get_output_tensor(0).data)
        with lock:
            taken.append(given)
            is_enough = len(taken) % HALF_BATCH == 0 or len(taken) == len(ready)
            some = taken[-HALF_BATCH:] if is_enough else []
        if some:
            queues[1].start_async([np.concatenate(some)])

    if len(queues) > 1:
        queues[0].set_callback(go_on)

    def best() -> None:
        taken.clear()
        for picture in ready:
            queues[0].start_async([picture])
        for queue in queues:
            queue.wait_all()

    ratio = _ratio(
        lambda: embed_photos(backend, photos),
        lambda: lane.submit(best).result(),
        2 * plan.turns - 1,
    )
    return Figure(
        name="embedding in an index ÷ OpenVINO on ready tensors",
        value=ratio, bar=0.9, aim=0.97, is_most=False,
    )  # fmt: skip


def raw_figure(plan: SpeedPlan) -> Figure:
    """RAW files of 12 megapixels with a preview of the same size, read, against developed."""
    import rawpy

    with open_backend() as backend:
        spec = backend.info().input_spec
    files: list[bytes] = []
    for picture in itertools.islice(pictures(plan, _RAW_PX), plan.raws):
        preview = io.BytesIO()
        picture.save(preview, "JPEG", quality=90)
        files.append(
            dng(np.asarray(picture), preview=preview.getvalue(), preview_size=picture.size)
        )

    def developed() -> None:
        for data in files:
            with rawpy.imread(io.BytesIO(data)) as raw:
                picture = Image.fromarray(raw.postprocess(use_camera_wb=True))
            np.asarray(picture.resize((spec.size_px, spec.size_px), Image.Resampling.BICUBIC))
            picture.thumbnail((320, 320))
            picture.save(io.BytesIO(), "JPEG", quality=85)

    ratio = _ratio(lambda: [decode_photo(one, spec) for one in files], developed, plan.turns)
    return Figure(
        name="RAW with a preview ÷ developing each",
        value=ratio, unit="×", bar=8, aim=20, is_most=False,
    )  # fmt: skip
