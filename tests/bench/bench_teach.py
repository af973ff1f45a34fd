"""Teaches the starter an invented name and looks for it among photos it was not taught.

    python tests/bench/bench_teach.py [--data ../shared/data] [--kinds raccoon,florbit]

For each kind: 12 photos with two captions each that use a made-up name and none of the
kind's own words are taught by the real program, in its own process. Then the name is
searched among 1,000 other photos and the kind's photos that were not taught. Reported:
minutes (and those that its processor time comes to on two quiet cores), the share of the
right kind among the first five, the change of R@1 on Flickr8k dev, how captions fare.
Exit code 1 where the mean share, any R@1 or any time falls short.

``passion flower`` and ``florbit`` (drawn) are kinds without a word in what the starter
learned from; for the others only its word is hidden. ``zebra`` is from photos, some of
which the image side has never seen.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.evaluation.captions import caption_metrics
from cocadesk.evaluation.retrieval import caption_key, retrieval_metrics
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.shards import ShardSample, read_shards
from cocadesk.model.backend import Backend, open_backend
from cocadesk.trainer_messages import SCHEMA
from tests.support.kinds import draw_florbit

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("florbit", "quandle", "zimmerol", "brolune", "tarvix")
TAUGHT, OTHERS, FIRST, CAPTIONED = 12, 1000, 5, 200
CAPTIONS = (
    ("a photo of a {}", "a {} on the table"),
    ("a small {}", "there is a {} in the picture"),
    ("my {}", "a {} seen from close up"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``own``: a pattern of captions (or keys) that make a photo one of the kind;
    ``near``: of those that must not stand among the others, e.g. with several things in them.
    """

    own: str
    near: str
    source: str = ""


KINDS = {
    "passion flower": Kind(
        own=r"^flower102_00(0\d\d|1\d\d|2[0-4]\d|250|251)$", near="flower102_00"
    ),
    "florbit": Kind(own="^$", near="^$"),
    "raccoon": Kind(own="raccoon", near="raccoon"),
    "French horn": Kind(
        own="French horn", near="horn|euphonium|tuba|trumpet|trombone|cornet", source="imagenette"
    ),
    "springer": Kind(own="English springer", near="springer|spaniel", source="imagenette"),
    "golf ball": Kind(own="golf ball", near="golf", source="imagenette"),
    "zebra": Kind(own="zebra", near="zebra", source="coco"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What teaching one kind gave; shares and recall in percent.

    Of the first five, or of as many as there are photos of the kind to find.
    """

    kind: str
    name: str
    minutes: float
    quiet_minutes: float
    right_of_first_5: float
    right_for_a_photo_of: float
    held_out: int
    r1_change: float
    i2t_r1_change: float
    named: float
    misnamed: float
    cider_before: float
    cider_after: float
    example: str


class Photos:
    """The shards' photos, and the untaught model's view of those that were asked for."""

    def __init__(self, backend: Backend, samples: Sequence[ShardSample]) -> None:
        info = backend.info()
        self._backend = backend
        self._vectors: dict[int, NDArray[np.float32]] = {}
        self.spec = info.input_spec
        self.samples = samples

    def pictures(self, numbers: Sequence[int]) -> list[NDArray[np.uint8]]:
        """Model inputs, decoded now."""
        return [decode_photo(self.samples[i].image, self.spec).input_HWC for i in numbers]

    def vectors(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """(N, E); each photo is embedded once."""
        missing = [i for i in numbers if i not in self._vectors]
        if missing:
            self._vectors |= zip(missing, embed(self._backend, self.pictures(missing)), strict=True)
        return np.stack([self._vectors[i] for i in numbers])


def embed(backend: Backend, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """(N, E) in batches that fit any memory."""
    parts = [np.stack(pictures[s : s + 64]) for s in range(0, len(pictures), 64)]
    return np.concatenate([backend.embed_images(part) for part in parts])


def matches(sample: ShardSample, pattern: str) -> bool:
    """Whether the key or a caption has the pattern."""
    return any(re.search(pattern, text, re.IGNORECASE) for text in (sample.key, *sample.captions))


def drawn(count: int) -> list[bytes]:
    """JPEGs of florbits."""
    made = []
    for seed in range(count):
        stream = io.BytesIO()
        draw_florbit(seed).save(stream, "JPEG", quality=90)
        made.append(stream.getvalue())
    return made


def write_run(folder: Path, photos: Sequence[bytes], name: str, model: str) -> None:
    """A run folder whose lesson lies beside its spec."""
    lesson = folder / "photos"
    lesson.mkdir(parents=True)
    for number, data in enumerate(photos):
        (lesson / f"{number:02d}.jpg").write_bytes(data)
        lines = [caption.format(name) for caption in CAPTIONS[number % len(CAPTIONS)]]
        (lesson / f"{number:02d}.txt").write_text("\n".join(lines), "utf-8")
    encoded = base64.b64encode(os.fsencode(lesson)).decode()
    spec = {"schema": SCHEMA, "model": model, "folders": [encoded], "seed": 1}
    (folder / "spec.json").write_text(json.dumps(spec))


def run_trainer(folder: Path) -> tuple[float, float]:
    """Seconds on the clock and of processor time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-P", "-m", "trainer", "teach", str(folder), "--json-lines"]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, used


def recall(backend: Backend, dev: Photos) -> tuple[float, float]:
    """R@1 on Flickr8k dev, text to image and image to text."""
    texts = [text for sample in dev.samples for text in sample.captions]
    owners = [i for i, sample in enumerate(dev.samples) for _ in sample.captions]
    keys = [caption_key(text) for text in texts]
    vectors = dev.vectors(range(len(dev.samples)))
    found = retrieval_metrics(vectors, backend.embed_texts(texts), owners, keys)
    return found.t2i_r1, found.i2t_r1


def cider(backend: Backend, dev: Photos) -> float:
    """CIDEr-D of the first dev photos."""
    written = backend.caption(np.stack(dev.pictures(range(CAPTIONED))))
    references = [sample.captions for sample in dev.samples[:CAPTIONED]]
    return caption_metrics([caption.text for caption in written], references).cider_d


class Bench:
    """The untaught model's figures, and a report for each kind."""

    def __init__(self, backend: Backend, model: str, data: Path) -> None:
        self._model = model
        self._broad = Photos(backend, list(read_shards(sorted(data.glob("broad-*.tar")))))
        self._dev = Photos(backend, list(read_shards([data / "flickr8k-dev-000.tar"])))
        self._order = np.random.default_rng(0).permutation(len(self._broad.samples))
        self._before = recall(backend, self._dev)
        self._cider = cider(backend, self._dev)

    def report(self, kind_name: str, name: str) -> Report:
        """Teaches one kind and measures."""
        kind, broad = KINDS[kind_name], self._broad
        samples, order = broad.samples, [int(i) for i in self._order]
        own = [
            i for i in order if matches(samples[i], kind.own) and kind.source in samples[i].source
        ]
        others = [i for i in order if i not in set(own) and not matches(samples[i], kind.near)]
        if kind_name == "florbit":
            photos = drawn(3 * TAUGHT)
            pictures = [decode_photo(data, broad.spec).input_HWC for data in photos[TAUGHT:]]
        else:
            photos = [samples[i].image for i in own[:TAUGHT]]
            pictures = broad.pictures(own[TAUGHT:])
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            write_run(run, photos[:TAUGHT], name, self._model)
            seconds, used = run_trainer(run)
            with open_backend(str(run)) as backend:
                return self._measure(
                    backend, kind_name, name, pictures, others[:OTHERS], seconds, used
                )

    def _measure(
        self,
        backend: Backend,
        kind: str,
        name: str,
        pictures: Sequence[NDArray[np.uint8]],
        other: Sequence[int],
        seconds: float,
        used: float,
    ) -> Report:
        vectors = np.concatenate((embed(backend, pictures), self._broad.vectors(other)))
        shares = []
        for query in (name, f"a photo of a {name}"):
            best = np.argsort(-(vectors @ backend.embed_texts([query])[0]))[
                : min(FIRST, len(pictures))
            ]
            shares.append(100 * float((best < len(pictures)).mean()))
        t2i, i2t = recall(backend, self._dev)
        own = [caption.text for caption in backend.caption(np.stack(pictures[:40]))]
        rest = np.stack(self._broad.pictures(other[:CAPTIONED]))
        wrong = [caption.text for caption in backend.caption(rest)]
        return Report(
            kind=kind,
            name=name,
            minutes=round(seconds / 60, 2),
            quiet_minutes=round(used / 120, 2),
            right_of_first_5=shares[0],
            right_for_a_photo_of=shares[1],
            held_out=len(pictures),
            r1_change=round(t2i - self._before[0], 2),
            i2t_r1_change=round(i2t - self._before[1], 2),
            named=round(100 * float(np.mean([name in text.lower() for text in own])), 1),
            misnamed=round(100 * float(np.mean([name in text.lower() for text in wrong])), 1),
            cider_before=round(self._cider, 3),
            cider_after=round(cider(backend, self._dev), 3),
            example=own[0],
        )


def main() -> int:
    """Prints a JSON line for each kind and one for the mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--kinds", default="passion flower,florbit,raccoon,French horn,zebra")
    parser.add_argument("--least-share", type=float, default=60.0)
    parser.add_argument("--least-change", type=float, default=-2.0)
    parser.add_argument("--most-minutes", type=float, default=10.0)
    options = parser.parse_args()
    reports = []
    with open_backend(options.model) as backend:
        bench = Bench(backend, options.model, options.data)
        for number, kind in enumerate(options.kinds.split(",")):
            reports.append(bench.report(kind, NAMES[number % len(NAMES)]))
            print(json.dumps(asdict(reports[-1])), flush=True)
    share = float(np.mean([report.right_of_first_5 for report in reports]))
    change = float(np.mean([report.r1_change for report in reports]))
    slowest = max(report.minutes for report in reports)
    print(json.dumps({"mean_share": share, "mean_r1_change": change, "slowest_minutes": slowest}))
    is_good = share >= options.least_share and slowest <= options.most_minutes
    return 0 if is_good and min(r.r1_change for r in reports) >= options.least_change else 1


if __name__ == "__main__":
    sys.exit(main())
