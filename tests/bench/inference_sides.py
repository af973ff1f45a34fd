"""The two sides of ``inference.py``: our backend and open_clip's network, the same weights.

open_clip's own captions need transformers 4.55.4 (``BeamSearchScorer`` is gone from later
ones). It stands with what it pins in a folder of its own, first on the path, and all else
is shared.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.locations import cache_folder
from cocadesk.model.network.generation import Generated
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.lanes import apart
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import GenerationOptions
from tests.bench.parity import EXACT
from tests.support.open_clip_reference import (
    Answers,
    answer,
    import_open_clip,
    model_settings,
    normalised,
    pictures,
    random_network,
    save_network,
)

FOLDER_VARIABLE = "COCADESK_BENCH_TRANSFORMERS"
PACKAGES = "'transformers==4.55.4' 'tokenizers<0.22' 'huggingface-hub<1.0'"
_FEW_LAYERS = 3
TOKENS = 20
"""The length of captions as open_clip counts it: with its begin marker."""
#: No rule that open_clip's search lacks; its shortest caption has 5 tokens with the begin marker.
_PLAIN = {"max_tokens": TOKENS - 1, "min_tokens": 4, "no_repeat_ngram": 0}
GREEDY = GenerationOptions(beams=1, **_PLAIN)
BEAM = GenerationOptions(beams=3, **_PLAIN)

Images = NDArray[np.uint8]


def reference_folder() -> Path:
    """The folder of transformers 4.55.4.

    Raises:
        SystemExit: it is not there; the sentence says how to make it.
    """
    found = os.environ.get(FOLDER_VARIABLE)
    folder = Path(found) if found else cache_folder() / "bench" / "transformers-4.55.4"
    if not (folder / "transformers").is_dir():
        raise SystemExit(
            f"open_clip's captions need transformers 4.55.4 in {folder}: make it by "
            f"`pip install --no-deps --target {folder} {PACKAGES}`, or name another folder by "
            f"{FOLDER_VARIABLE}."
        )
    return folder


def shallow(settings: dict[str, Any]) -> dict[str, Any]:
    """The same architecture with a few of its layers: to see in a minute that all is measured."""
    parts = {name: dict(settings[name]) for name in ("vision_cfg", "text_cfg", "multimodal_cfg")}
    return settings | {name: part | {"layers": _FEW_LAYERS} for name, part in parts.items()}


class World:
    """Both sides of one architecture, in this process. ``folder`` keeps weights and caches."""

    def __init__(self, model: str, folder: Path, batches: Sequence[int], *, is_quick: bool) -> None:
        sys.path.insert(0, str(reference_folder()))
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["COCADESK_CACHE"] = str(folder / "cache")
        self.model = model
        self.batches = tuple(batches)
        self.is_quick = is_quick
        self._greedy: dict[bytes, torch.Tensor] = {}
        self.open_clip = import_open_clip()
        self.settings = shallow(model_settings(model)) if is_quick else model_settings(model)
        self.network: Any = random_network(self.open_clip, self.settings)
        self.folder = folder / (f"{model}-shallow" if is_quick else model)
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True)
            save_network(self.network, self.folder)
            if is_quick:  # of sizes that no released one has
                config = {"model_cfg": self.settings}
                (self.folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")

    @cached_property
    def checkpoint(self) -> Any:
        """The weights, converted into ours."""
        return find_checkpoint(str(self.folder))

    @cached_property
    def ours(self) -> CocaBackend:
        """The backend as the program opens it on this CPU."""
        return CocaBackend(self.checkpoint, "cpu")

    @cached_property
    def exact(self) -> CocaBackend:
        """The backend in float32."""
        return CocaBackend(self.checkpoint, "cpu", limits=EXACT)

    def images(self, count: int, seed: int = 2) -> Images:
        """Made-up pictures, the same for a seed."""
        size = self.settings["vision_cfg"]["image_size"]
        return apart(lambda: pictures(count, size, seed).numpy())

    def on_our_lane(self, work: Callable[[], object]) -> object:
        """Does theirs on the thread of our pictures and captions, so that both are alike.

        This thread has a lower priority, which counts where other programs run, and two threads
        that both compute in parallel make OpenMP wait asleep (see ``apart``).
        """
        return self.ours._images.submit(work).result()

    @torch.inference_mode()
    def their_vectors(self, images_BHWC: Images) -> NDArray[np.float32]:
        """open_clip's image vectors."""
        found: NDArray[np.float32] = self.network.encode_image(self.inputs(images_BHWC)).numpy()
        return found

    @torch.inference_mode()
    def their_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """open_clip's text vectors."""
        ids = self.open_clip.SimpleTokenizer(context_length=76)(list(texts))
        found: NDArray[np.float32] = self.network.encode_text(ids, normalize=True).numpy()
        return found

    def their_greedy(self, images_BHWC: Images) -> torch.Tensor:
        """Ids (B, 20) of its most likely tokens; the last is an end marker in any case."""
        images = self.inputs(images_BHWC)
        found: torch.Tensor = self.network.generate(
            images, generation_type="top_k", top_k=1, seq_len=TOKENS
        )
        self._greedy[images_BHWC.tobytes()] = found
        return found

    def known_greedy(self, images_BHWC: Images) -> torch.Tensor:
        """The same, of a measure before where it had these pictures."""
        known = self._greedy.get(images_BHWC.tobytes())
        return self.their_greedy(images_BHWC) if known is None else known

    def their_beam(self, images_BHWC: Images) -> torch.Tensor:
        """Ids (B, 20 at most) of its default search: 6 beams in 3 groups."""
        found: torch.Tensor = self.network.generate(self.inputs(images_BHWC), seq_len=TOKENS)
        return found

    def inputs(self, images_BHWC: Images) -> torch.Tensor:
        """Pictures as open_clip takes them."""
        return normalised(torch.from_numpy(images_BHWC))

    @torch.inference_mode()
    def their_logits(self, images_BHWC: Images, ids_BT: torch.Tensor) -> torch.Tensor:
        """(B, T, V): open_clip's logits of the token after each."""
        found: torch.Tensor = self.network(self.inputs(images_BHWC), ids_BT, output_labels=False)[
            "logits"
        ]
        return found

    def log_probabilities(
        self, images_BHWC: Images, captions: Sequence[Sequence[int]]
    ) -> list[float]:
        """Sums over captions' ids (without the begin marker), by open_clip's network."""
        sums = []
        for image_HWC, ids in zip(images_BHWC, captions, strict=True):
            whole = torch.tensor([[self.checkpoint.config.text.begin_id, *ids]])
            logits = self.their_logits(image_HWC[None], whole[:, :-1])[0]
            found = logits.log_softmax(-1).gather(1, whole[0, 1:, None])
            sums.append(float(found.sum()))
        return sums

    def answers(self, count: int) -> Answers:
        """open_clip's answers that ``parity.py`` compares."""
        return Answers(**answer(self.open_clip, self.network, self.settings, count))


def found_ids(
    backend: CocaBackend, images_BHWC: Images, options: GenerationOptions
) -> list[Generated]:
    """Our captions as ids."""
    _, tokens_BQD = backend.pooled(images_BHWC)
    return [found[0] for found in backend.captions.search(tokens_BQD, options)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one turn took; ``peak_mb`` is what memory grew by at most (0 where unknown)."""

    wall_s: float
    processor_s: float
    peak_mb: float


def costs(work: Callable[[], object]) -> Cost:
    """The cost of doing something once."""
    before = _memory_mb("VmRSS") if _forget_peak() else 0.0
    wall, processor = time.perf_counter(), time.process_time()
    work()
    wall_s, processor_s = time.perf_counter() - wall, time.process_time() - processor
    peak = _memory_mb("VmHWM") - before if before else 0.0
    return Cost(wall_s=wall_s, processor_s=processor_s, peak_mb=peak)


def in_turns(
    ours: Callable[[], object], theirs: Callable[[], object], turns: int
) -> Iterator[tuple[Cost, Cost]]:
    """Ours, theirs, ours, theirs."""
    for _ in range(turns):
        yield costs(ours), costs(theirs)


def _forget_peak() -> bool:
    """Begin the process's peak of memory anew; only Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        return True
    return False


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
