"""Features on disk: interrupted fillings, failures, crops; and the pictures that they are of."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cocadesk.errors import UserError
from cocadesk.media.photo.resize import squash
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.model.tokenizers.captions import prepare_caption
from cocadesk.picture_input import InputSpec
from tests.support.kinds import write_lesson
from tests.support.tiny_shards import COLOURS, write_shard
from tests.support.tuning_photos import InnerDecoder
from tests.support.videos import make_clip_of_colours
from trainer.checkpoint import train_card, tuning_card
from trainer.config import CropKind, DataConfig, FeatureConfig, TrainConfig
from trainer.pictures.crops import make_crop
from trainer.pictures.data import (
    Dataset,
    Example,
    Sampler,
    load_dataset,
    load_extra_text,
)
from trainer.pictures.features import PictureCrops, readable
from trainer.pictures.store import Failure, FeatureStore
from trainer.tuning.features import (
    affordable_crops,
    cached,
    crop_bytes,
    crops_of,
    fill,
    photo_store,
)


def _side(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colours as a vector, corners as tokens."""
    floats = images.astype(np.float32) / 256
    return floats.mean((1, 2)), floats[:, :2, 0]


class _StoppedError(Exception):
    pass


def _paths(folder: Path, count: int) -> list[bytes]:
    return [bytes(path) for path in write_lesson(folder, count)]


def test_an_interrupted_filling_goes_on_and_reads_no_photo_twice(tmp_path: Path) -> None:
    """Chunk by chunk; a whole store needs no decoder and no photo any more."""
    paths = _paths(tmp_path / "photos", 20)
    decoder = InnerDecoder(InputSpec(size_px=32))
    store = photo_store(tmp_path, "own", 20, 2)

    def stop(done: int, total: int) -> None:
        assert total == 20
        if done >= 8:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        fill(store, paths, decoder, _side, 1, stop)
    again = photo_store(tmp_path, "own", 20, 2)
    assert (again.done, again.is_whole) == (8, False)
    seen: list[int] = []
    fill(again, paths, decoder, _side, 1, lambda done, _: seen.append(done))
    assert seen == [16, 20]
    assert Counter(decoder.decoded).most_common(1)[0][1] == 1
    whole = photo_store(tmp_path, "own", 20, 2)
    fill(whole, paths, None, _side, 1, stop)
    features = cached(whole, range(20))
    once = photo_store(tmp_path / "once", "own", 20, 2)
    fill(once, paths, decoder, _side, 1, lambda *_: None)
    np.testing.assert_array_equal(features.tokens_PVND, cached(once, range(20)).tokens_PVND)
    assert features.vectors_PVE.shape == (20, 2, 3)
    np.testing.assert_array_equal(features.take([3, 1]).vectors_PVE, features.vectors_PVE[[3, 1]])


def test_photos_that_give_no_picture_are_failures_with_reasons(tmp_path: Path) -> None:
    """They are kept with the store; the others are filled."""
    paths = _paths(tmp_path / "photos", 4)
    Path(paths[1].decode()).write_bytes(b"no photo")
    Path(paths[3].decode()).unlink()
    store = photo_store(tmp_path, "own", 4, 1)
    fill(store, paths, InnerDecoder(InputSpec(size_px=32)), _side, 1, lambda *_: None)
    found = photo_store(tmp_path, "own", 4, 1)
    assert [failure.photo for failure in found.failures] == [1, 3]
    assert all(failure.reason for failure in found.failures)
    assert cached(found, [0, 2]).vectors_PVE.astype(bool).any(-1).all()


def test_a_picture_that_moves_teaches_by_one_of_its_frames(tmp_path: Path) -> None:
    """In an older library it is a photo yet; a video from a camera is none."""
    moving, film = tmp_path / "moving.gif", tmp_path / "film.mp4"
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "lime", "lime")]
    frames[0].save(moving, save_all=True, append_images=frames[1:], duration=500)
    make_clip_of_colours(film, ("red", "blue"), 0.5)
    store = photo_store(tmp_path, "own", 2, 1)
    with DecoderPool(spec=InputSpec(size_px=32), workers=1) as pool:
        fill(store, [bytes(moving), bytes(film)], pool, _side, 1, lambda *_: None)
    assert [failure.photo for failure in store.failures] == [1]
    red, green, blue = cached(store, [0]).vectors_PVE[0, 0]
    assert max(red, green) > 0.9
    assert blue < 0.1


def test_a_store_of_other_photos_is_begun_anew(tmp_path: Path) -> None:
    """Another number of photos or crops is another store; one of the same kind is found again."""
    store = FeatureStore(tmp_path, "x", 2, 1, 2)
    store.put(0, a=np.ones((1, 3), np.float32))
    store.failures.append(Failure(photo=1, reason="broken"))
    store.mark(2)
    assert FeatureStore(tmp_path, "x", 2, 1, 2).is_whole
    assert FeatureStore(tmp_path, "x", 2, 1, 2).failures == [Failure(photo=1, reason="broken")]
    assert FeatureStore(tmp_path, "x", 3, 1, 3).done == 0
    assert FeatureStore(tmp_path, "x", 2, 2, 2).done == 0
    assert FeatureStore(tmp_path, "y", 2, 1, 2).arrays() == {}


def test_several_pictures_and_crops_are_stored_at_once(tmp_path: Path) -> None:
    """By their two indices; numbers are kept as float16."""
    store = FeatureStore(tmp_path, "x", 3, 2, 6)
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    store.put((np.array([0, 2]), np.array([1, 0])), a=values)
    store.mark(2)
    found = FeatureStore(tmp_path, "x", 3, 2, 6).arrays()["a"]
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found[[0, 2], [1, 0]], values)
    assert not found[1].any()


def test_the_first_crop_is_the_picture_and_the_others_are_drawn_by_seed() -> None:
    """The same seed and photo, the same crops; another photo, others."""
    plain = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    crops = crops_of(plain, 4, seed=1, photo=5)
    np.testing.assert_array_equal(crops[0], plain)
    np.testing.assert_array_equal(crops, crops_of(plain, 4, seed=1, photo=5))
    assert (crops[1:] != crops_of(plain, 4, seed=1, photo=6)[1:]).any()
    assert (crops[1:] != crops_of(plain, 4, seed=2, photo=5)[1:]).any()


def test_crops_are_as_large_as_asked_and_bright_as_allowed() -> None:
    """Any size and shape of photo; without light and mirror only a part of the picture."""
    config = FeatureConfig(min_area=0.5, mirror=False, light=0.0)
    for shape in ((40, 90, 3), (7, 5, 3), (1, 1, 3)):
        grey = np.full(shape, 100, np.uint8)
        for seed in range(5):
            crop = make_crop(grey, 16, config, (seed,))
            assert crop.shape == (16, 16, 3)
            assert (crop == 100).all()
    lit = FeatureConfig(min_area=1.0, mirror=True, light=0.2)
    means = [make_crop(grey, 8, lit, (seed,)).mean() for seed in range(30)]
    assert 79 <= min(means) < 95
    assert 105 < max(means) <= 121
    assert squash(np.zeros((30, 60, 3), np.uint8), 16).shape == (16, 16, 3)


def test_crops_equal_the_arithmetic_that_caches_were_filled_with() -> None:
    """Byte for byte: part, resolution, mirror and light, drawn in this order from the seed."""
    picture = np.random.default_rng(4).integers(0, 255, (90, 130, 3), dtype=np.uint8)
    config = FeatureConfig(kinds=(CropKind.PLAIN, CropKind.CROP, CropKind.LOW), min_area=0.45)
    for kind in (CropKind.CROP, CropKind.LOW):
        for photo in range(6):
            seed = (1, 2, photo, 2)
            expected = _written_out(picture, kind, seed)
            np.testing.assert_array_equal(make_crop(picture, 96, config, seed, kind), expected)
    plain = make_crop(picture, 96, config, (1,), CropKind.PLAIN)
    np.testing.assert_array_equal(plain, squash(picture, 96))


def _written_out(
    rgb: NDArray[np.uint8], kind: CropKind, seed: tuple[int, ...]
) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    area = random.uniform(0.6 if kind is CropKind.LOW else 0.45, 1.0)
    ratio = np.exp(random.uniform(-0.25, 0.25))
    crop_w = int(np.clip(width * np.sqrt(area * ratio), 1, width))
    crop_h = int(np.clip(height * np.sqrt(area / ratio), 1, height))
    left = int(random.integers(0, width - crop_w + 1))
    top = int(random.integers(0, height - crop_h + 1))
    part = np.asarray(rgb[top : top + crop_h, left : left + crop_w], np.uint8)
    if kind is CropKind.LOW:
        part = squash(part, int(np.exp(random.uniform(np.log(28), np.log(80)))))
    part = squash(part, 96)
    if random.random() < 0.5:
        part = np.ascontiguousarray(part[:, ::-1])
    bright, contrast, saturation = random.uniform(0.75, 1.25, 3)
    pixels = part.astype(np.float32) * bright
    pixels = (pixels - pixels.mean()) * contrast + pixels.mean()
    grey = pixels.mean(2, keepdims=True)
    return np.asarray(np.clip((pixels - grey) * saturation + grey, 0, 255), np.uint8)


def test_a_low_crop_has_lost_what_a_thumbnail_has_lost() -> None:
    """Its neighbouring pixels are alike, as those of a picture that was enlarged."""
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    config = FeatureConfig(min_area=0.6, light=0.0)

    def roughness(kind: CropKind) -> float:
        crop = make_crop(noise, 260, config, (3,), kind).astype(float)
        return float(np.abs(np.diff(crop, axis=1)).mean())

    assert roughness(CropKind.LOW) < 0.5 * roughness(CropKind.CROP)


def test_crops_fit_the_budget() -> None:
    """Eight for few photos, one for very many, never none."""
    assert affordable_crops(1, 10_000) == 8
    assert affordable_crops(10_000, 10_000) == 5
    assert affordable_crops(10_000_000, 10_000) == 1
    assert affordable_crops(0, 0) == 8
    assert crop_bytes(_side, 16) == 2 * (3 + 6)


def test_pictures_that_do_not_decode_are_left_out(tmp_path: Path) -> None:
    """And counted; asked for nevertheless, they are an error."""
    good = load_dataset([write_shard(tmp_path / "s.tar", 3)], lowercase=False).examples
    bad = Example(key="bad", image=b"\xff\xd8", captions=("a dog",), weight=1.0)
    kept, broken = readable([good[0], bad, *good[1:]])
    assert (kept, broken) == (list(good), 1)
    crops = PictureCrops([*good, bad], 32, FeatureConfig(), seed=1)
    assert len(crops) == 4
    assert crops.fetch(np.array([0, 2]), np.array([0, 1])).shape == (2, 32, 32, 3)
    with pytest.raises(ValueError, match="bad cannot be decoded"):
        crops.crop(3, 0)


def test_captions_are_prepared_as_the_network_sees_them() -> None:
    """One line, without the final stop; lower case where the network reads only that."""
    assert prepare_caption("  A  Dog\nruns. ", lowercase=False) == "A Dog runs"
    assert prepare_caption("A Dog. A Cat.", lowercase=True) == "a dog. a cat"
    assert prepare_caption(" . ", lowercase=False) == ""


def test_class_names_weigh_less_and_a_limit_is_kept(tmp_path: Path) -> None:
    """By the end of their source; a weight of zero leaves them out."""
    import tarfile

    from tests.support.tiny_shards import add, jpeg

    path = write_shard(tmp_path / "s.tar", 4)
    with tarfile.open(path, "a") as tar:
        record = {"captions": ["a raccoon"], "source": "photos (class name)"}
        add(tar, "n.jpg", jpeg(COLOURS["red"], 1))
        add(tar, "n.json", json.dumps(record).encode())

    def weights(**options: float) -> list[float]:
        found = load_dataset(
            [path],
            lowercase=True,
            class_name_suffix="(class name)",
            **options,  # type: ignore[arg-type]
        )
        return [example.weight for example in found.examples]

    assert weights(class_name_weight=0.5) == [1, 1, 1, 1, 0.5]
    assert weights(class_name_weight=0.0) == [1, 1, 1, 1]
    assert weights(max_samples=2) == [1, 1]
    with pytest.raises(UserError, match="1 usable pictures"):
        load_dataset([path], lowercase=True, max_samples=1)


def test_words_for_the_tokenizer_come_from_plain_and_packed_files(tmp_path: Path) -> None:
    """In any encoding; empty lines go; what cannot be read is a sentence."""
    plain, packed, broken = (tmp_path / name for name in ("a.txt", "b.gz", "c.gz"))
    plain.write_bytes("\ufeffA Dog.\r\n\r\n a cat\r".encode("utf-16-le"))
    packed.write_bytes(gzip.compress("Käthe.\n".encode()))
    broken.write_bytes(packed.read_bytes()[:12])
    assert load_extra_text([plain, packed], lowercase=True) == ["a dog", "a cat", "käthe"]
    for path in (broken, tmp_path / "none.txt"):
        with pytest.raises(UserError, match="cannot be read"):
            load_extra_text([path], lowercase=True)


def _dataset(weights: list[float]) -> Dataset:
    examples = tuple(
        Example(key=str(i), image=b"", captions=("a", "b", "c")[: 1 + i % 3], weight=weight)
        for i, weight in enumerate(weights)
    )
    return Dataset(examples=examples, skipped={})


def _kinds(count: int, weights: tuple[float, ...] = ()) -> FeatureConfig:
    kinds = (CropKind.PLAIN, *(CropKind.CROP,) * (count - 1))
    return FeatureConfig(kinds=kinds, kind_weights=weights)


def test_kinds_of_crops_are_drawn_as_often_as_they_weigh() -> None:
    """One of weight zero never; without weights all alike."""
    sampler = Sampler(_dataset([1.0] * 10), 10, _kinds(3, (3.0, 1.0, 0.0)), seed=1)
    drawn = Counter(crop for step in range(100) for crop in sampler.draw(step).crop_B.tolist())
    assert drawn[0] == pytest.approx(750, abs=50)
    assert drawn[2] == 0


def test_an_epoch_shows_each_picture_as_often_as_it_weighs() -> None:
    """Twice for 2, every other epoch for a half; crops and captions are in range."""
    sampler = Sampler(_dataset([1, 2, 0.5, 1, 1, 0.5, 1, 1]), 4, _kinds(3), seed=1)
    assert sampler.epoch_pictures == 8
    seen: Counter[int] = Counter()
    for step in range(200):
        draw = sampler.draw(step)
        seen.update(draw.picture_B.tolist())
        assert (draw.crop_B < 3).all()
        assert (draw.caption_B <= draw.picture_B % 3).all()
    assert seen[0] == pytest.approx(100, abs=12)
    assert seen[1] == pytest.approx(200, abs=12)
    assert seen[2] == pytest.approx(50, abs=20)


def test_a_draw_depends_on_seed_and_step_alone() -> None:
    """Asked for in any order."""
    data = _dataset([1.0] * 10)
    forward = [Sampler(data, 4, _kinds(2), seed=3).draw(step) for step in range(6)]
    sampler = Sampler(data, 4, _kinds(2), seed=3)
    for step in (5, 0, 3, 1, 4, 2):
        draw = sampler.draw(step)
        for name in ("picture_B", "crop_B", "caption_B"):
            np.testing.assert_array_equal(getattr(draw, name), getattr(forward[step], name))
    assert len(Sampler(data, 64, _kinds(1), seed=3).draw(0).picture_B) == 10


def test_cards_tell_data_training_and_figures() -> None:
    """Of a trained model and of a tuned one."""
    config = TrainConfig(data=DataConfig(train=("x",)))
    notes = {"shards": ["a.tar"], "pictures": 5, "captions": 9, "skipped": {"broken": 2}}
    card = train_card(config, notes, {"dev/t2i_r1": 12.345}, 7)
    assert "- a.tar" in card
    assert "5 pictures with 9 captions;\nskipped: 2 × broken." in card
    assert "| dev/t2i_r1 | 12.35 |" in card or "| dev/t2i_r1 | 12.34 |" in card
    row = {"name": "t2i_r1", "value": 20.0, "n": 4, "low": 5.0, "high": 60.0}
    result = {
        "photos": 4,
        "captions": 8,
        "skipped": {},
        "steps": 88,
        "held_out": 1,
        "is_trial": True,
        "before": [row],
        "after": [row | {"value": 80.0}, row | {"name": "cider_d", "value": 1.5}],
        "general_before": [row],
        "general_after": [row],
    }
    card = tuning_card("", "the text side", "coca-1", result)
    assert card.startswith("# A tuned model\n")
    assert "skipped: nothing. Trained parts: the text side." in card
    assert "| t2i_r1 | 20 (5 to 60) | 80 (5 to 60) | 4 |" in card
    assert "| cider_d | – | 1.5 (5 to 60) | 4 |" in card
    assert "{model_id}" in card
    assert "measured in a trial" in card
