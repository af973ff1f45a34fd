"""Heat maps of where in a picture a text, or each word of a caption, comes from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cocadesk.annotations.describe import Captioner, Describer, WantedPicture
from cocadesk.engine.full_pictures import FullPictures
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.loaded_model import calibrator_of
from cocadesk.engine.media_details import MediaDetails
from cocadesk.errors import UserError, tr
from cocadesk.library.atomic import write_atomically
from cocadesk.library.rows import MediaRow
from cocadesk.locations import UNCHANGED, text_vectors_folder, umask_of_person
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import Explain, Explained, HeatValue
from cocadesk.protocol.paths import WirePath
from cocadesk.search.calibration import Constants
from cocadesk.search.query import parse_query
from cocadesk.search.stop_words import ENGLISH_STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.media.types import DecodedPhoto
    from cocadesk.model.backend import Backend
    from cocadesk.picture_input import InputSpec

SHEET_PX = 1280
SPREAD_HEAT = 0.35
"""A map that is nowhere hotter points nowhere: so are 7 of 100 maps of things that are in a photo,
and 55 of those of everyday words, most of which are not (76 boxes, 1,430 words).
"""
LAYERS_BYTES = 64 << 20


class _Map(NamedTuple):
    text: str
    heat_YX: NDArray[np.float32]


class ExplainHandler(RequestHandler):
    """Answers ``Explain``; layers lie beside the previews until the engine ends."""

    def __init__(self, context: EngineContext, details: MediaDetails) -> None:
        self._context = context
        self._library = context.library
        self._model = context.model
        self._details = details
        self._layers = FullPictures(LAYERS_BYTES)

    def close(self) -> None:
        """Removes the layers."""
        self._layers.close()

    def _explain(self, body: Explain, call: Call) -> None:
        """On a thread of its own: the rows of a grid must not wait for it."""
        self._context.run_long(call, lambda: self._answer(body, call), name="explain")

    def _answer(self, body: Explain, call: Call) -> Explained:
        backend = self._model.opened().backend
        key = body.key or self._key_of(body.path)
        if not key:
            return explained_file(body, backend, self._model.captioner)
        seeing = self._model.captioner().model if body.is_caption else backend
        row, photo = self._details.picture(key, body.time_s, seeing.info().input_spec, call)
        text = body.text
        if body.is_caption and not text:
            text = row.caption or _written(photo.input_HWC, self._model.captioner())
        maps = _maps(text, body.is_caption, photo.input_HWC, seeing, call.check)
        call.check()
        likely = None if body.is_caption else _likely(maps[0].text, photo.input_HWC, seeing)
        keeper, spec = self._keeper(row, body), seeing.info().input_spec
        return _reply(body, text, maps, photo, spec, keeper, likely)

    def _key_of(self, path: WirePath | None) -> str:
        """The key of the medium that a file shows; empty where it is not in the library."""
        if path is None:
            return ""
        row = self._library.media.by_path([path.to_bytes()]).get(path.to_bytes())
        return row.key if row is not None and row.path == path.to_bytes() else ""

    def _keeper(self, row: MediaRow, body: Explain) -> Callable[[str, bytes], WirePath]:
        """Keeps a layer beside the preview of its picture, where a forgetting finds it."""
        folder = self._library.folder / "previews" / row.picture_hash[:2] / row.picture_hash[2:4]

        def kept(text: str, png: bytes) -> WirePath:
            named = f"{self._model.value().model_id} {body.time_s} {body.text} {text}"
            mark = hashlib.blake2b(named.encode() + png, digest_size=8).hexdigest()
            path = folder / f"{row.picture_hash}-heat-{mark}.png"
            self._layers.keep(path, png)
            return WirePath.of(path)

        return kept


def explained_file(
    body: Explain, backend: Backend, captioner: Callable[[], Captioner]
) -> Explained:
    """The answer for a file that is in no library.

    Raises:
        UserError: none is named, or it gives no picture.
    """
    if body.path is None:
        raise UserError(tr("No photo is named."), "", tr("Give the path of a photo or video."))
    seeing = captioner().model if body.is_caption else backend
    spec = seeing.info().input_spec
    photo = _decoded(body.path.to_bytes(), body.time_s, spec)
    text = body.text
    if body.is_caption and not text:
        text = _written(photo.input_HWC, captioner())
    maps = _maps(text, body.is_caption, photo.input_HWC, seeing)
    likely = None if body.is_caption else _likely(maps[0].text, photo.input_HWC, seeing)
    return _reply(body, text, maps, photo, spec, None, likely)


def _decoded(path: bytes, time_s: float | None, spec: InputSpec) -> DecodedPhoto:
    """A file through a worker process; of a video one frame."""
    from cocadesk.media.pool.pool import DecoderPool
    from cocadesk.media.types import DecodedVideo, DecodeFailure, DecodeRequest

    request = DecodeRequest(token=0, path=path, time_s=time_s)
    with DecoderPool(spec=spec, workers=1, thumbnail_px=SHEET_PX, slots=1) as pool:
        [answer] = list(pool.decode([request]))
        if isinstance(answer, DecodeFailure):
            shown = WirePath.of(path).text
            raise UserError(tr("{path} cannot be read.", path=shown), answer.reason)
        if isinstance(answer, DecodedVideo):
            moment = answer.moments[len(answer.moments) // 2]
            answer.close()
            return _decoded(path, moment.time_s, spec)
        return replace(answer, input_HWC=answer.input_HWC.copy())


def _written(input_HWC: NDArray[np.uint8], captioner: Captioner) -> str:
    """A caption for a picture, as the captioner writes them anywhere.

    Raises:
        UserError: it gave none.
    """
    describer = Describer(
        captioner.model,
        captioner.tagger,
        lambda wanted: iter([(item.key, input_HWC) for item in wanted]),
        captioner=captioner,
    )
    [(_key, caption)] = describer.captions([WantedPicture(key="", path=b"")])
    if isinstance(caption, str):
        raise UserError(caption)
    return caption.text


def _maps(
    text: str,
    is_caption: bool,
    input_HWC: NDArray[np.uint8],
    seeing: Backend,
    between: Callable[[], None] = lambda: None,
) -> list[_Map]:
    """The maps of a caption's words that say something, or of a query's words as one text.

    ``between`` is called again and again, and ends the work by an error.

    Raises:
        UserError: there are no words.
    """
    if is_caption:
        found = seeing.explain_words(input_HWC[None], text, between)
        telling = [word for word in found if _bare(word.word) not in ENGLISH_STOP_WORDS]
        return [_Map(word.word, word.heat_BYX[0]) for word in telling or found]
    words = _sought(text)
    if not words:
        raise UserError(
            tr("There are no words to look for in the picture."),
            "",
            tr("Give words that say what may be in it, such as: a red bicycle."),
        )
    return [_Map(words, seeing.explain(input_HWC[None], words, between)[0])]


def _likely(text: str, input_HWC: NDArray[np.uint8], seeing: Backend) -> float | None:
    """The probability that a picture shows a text, where the model's everyday words are known."""
    calibrator = calibrator_of(seeing, text_vectors_folder())
    vectors_1E = seeing.embed_images(input_HWC[None])
    found = calibrator.probabilities(text, seeing.embed_texts([text])[0], vectors_1E)
    return None if found is None else round(float(found[0]), 4)


def _bare(word: str) -> str:
    return word.lower().strip(".,;:!?\"'()")


def _sought(text: str) -> str:
    """The words of a query, without filters; of what is no query, the text as it stands."""
    try:
        return parse_query(text).text.strip()
    except UserError:
        return text.strip()


def _reply(
    body: Explain,
    text: str,
    maps: Sequence[_Map],
    photo: DecodedPhoto,
    spec: InputSpec,
    keep: Callable[[str, bytes], WirePath] | None,
    likely: float | None,
) -> Explained:
    from cocadesk.media import heat

    size = (photo.width, photo.height)
    if body.sheet is not None:
        caption = text if body.is_caption else ""
        legend = (tr("elsewhere"), tr("here"))
        titled = [heat.Titled(each.text, each.heat_YX) for each in maps]
        jpeg = heat.sheet_jpeg(photo.thumbnail_jpeg, caption, titled, spec.resize, legend)
        _write_new(Path(body.sheet.to_str()), jpeg)
    return Explained(
        text=text,
        heats=tuple(
            HeatValue(
                text=each.text,
                grid=tuple(tuple(round(float(v), 3) for v in row) for row in each.heat_YX),
                peak=heat.peak(each.heat_YX, spec.resize, *size),
                layer=keep(each.text, heat.layer_png(each.heat_YX, spec.resize, *size))
                if keep
                else None,
                is_spread=bool(each.heat_YX.max(initial=0) < SPREAD_HEAT),
            )
            for each in maps
        ),
        seen=heat.seen(spec.resize, *size),
        sheet=body.sheet,
        likely=likely,
        is_shown=likely is None or likely >= Constants().shown_from,
    )


def _write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet.

    Raises:
        UserError: it is there, or the disk refuses.
    """
    if os.path.lexists(path):
        raise UserError(
            tr("{path} is there already.", path=WirePath.of(path).text),
            tr("Nothing was written over it."),
            tr("Give another name, or remove it first."),
        )
    write_atomically(path, data, durable=False)
    if umask_of_person() != UNCHANGED:
        path.chmod(0o666 & ~umask_of_person())
