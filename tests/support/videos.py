"""Short videos made on the spot with PyAV, for tests that run without the shared media.

``make_video`` shows pictures one after the other, each as a shot of its own;
``make_clip_of_colours`` needs no pictures; ``make_sound`` has nothing to see.
All are small and quick (a video of 6 s takes about 0.1 s to make).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

Picture: TypeAlias = "str | Path | tuple[int, int, int] | Image.Image | NDArray[np.uint8]"
"""A colour's name or RGB, a photo's path, or the picture itself."""

COLOURS = ("red", "green", "blue")
_CODECS = {".webm": "libvpx-vp9", ".avi": "mpeg4", ".mpg": "mpeg2video", ".ts": "libx264"}
_SPEED = {
    "libx264": {"preset": "ultrafast", "crf": "18", "threads": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "24", "b": "0"},
    "mpeg4": {"qscale": "2"},
}
_SOUND_RATE = 16_000


def make_video(
    path: Path,
    pictures: Sequence[Picture],
    seconds_each: float = 2,
    fps: int = 12,
    size: tuple[int, int] = (320, 240),
    codec: str | None = None,
    *,
    rotation: int = 0,
    pixel_aspect: Fraction | None = None,
    sound_s: float = 0,
    start_s: float = 0,
    gop: int | None = None,
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Writes a video that shows each picture for ``seconds_each`` and gives its path.

    The container follows the suffix (.mp4, .mov, .mkv, .webm, .avi, .ts ...);
    ``codec`` is libx264 unless it says otherwise (``mpeg4``, ``libvpx-vp9``,
    ``mjpeg`` ...). ``size`` (width, height) is that of the stored frames, to
    which pictures are squashed. ``rotation``: degrees counter-clockwise that a
    player must turn them (mp4 and mov only). ``start_s``: the time stamp of
    the first frame (.ts and .mkv). ``gop``: frames from one key frame to the next.
    ``options``: more of the encoder's own.
    """
    rate = Fraction(fps).limit_denominator(1000)
    has_tags = any(key.startswith("com.apple.") for key in metadata or {})
    name = codec or _CODECS.get(path.suffix.lower(), "libx264")
    container = _container_options(path, start_s, has_tags)
    with av.open(str(path), "w", container_options=container) as video:
        video.metadata.update(metadata or {})
        stream = video.add_stream(
            name, rate=rate, options={**_SPEED.get(name, {}), **(options or {})}
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format if name != "mjpeg" else "yuvj420p"
        stream.codec_context.gop_size = gop or 12
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        sound = video.add_stream("aac", rate=_SOUND_RATE) if sound_s else None
        number = 0
        for picture in pictures:
            rgb = _rgb(picture, size)
            for _ in range(max(1, round(seconds_each * fps))):
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                frame.pts, frame.time_base = round(start_s * rate) + number, 1 / rate
                video.mux(stream.encode(frame))
                number += 1
        video.mux(stream.encode(None))
        if isinstance(sound, av.AudioStream):
            _hum(video, sound, sound_s)
    return path


def make_clip_of_colours(
    path: Path,
    colours: Sequence[str | tuple[int, int, int]] = COLOURS,
    seconds_each: float = 1,
    fps: int = 12,
    size: tuple[int, int] = (160, 120),
    codec: str | None = None,
) -> Path:
    """A video of plain colours, one shot each; every shot has a dark bar of its own place."""
    width, height = size
    shots: list[Picture] = []
    for number, colour in enumerate(colours):
        shot = Image.new("RGB", size, colour)
        left = 4 + (number * 9) % max(1, width - 12)
        ImageDraw.Draw(shot).rectangle((left, 2, left + 6, height // 8), fill="black")
        shots.append(shot)
    return make_video(path, shots, seconds_each, fps, size, codec)


def make_sound(path: Path, seconds: float = 1) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as video:
        sound = video.add_stream("aac", rate=_SOUND_RATE)
        assert isinstance(sound, av.AudioStream)
        _hum(video, sound, seconds)
    return path


def cut_short(path: Path, share: float = 0.6) -> Path:
    """The same file, truncated to a share of its bytes, in place."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _container_options(path: Path, start_s: float, has_tags: bool) -> dict[str, str]:
    if path.suffix.lower() == ".ts" and start_s:
        return {"muxdelay": "0", "muxpreload": "0"}
    # QuickTime's own keys are written as they are named.
    return {"movflags": "use_metadata_tags"} if has_tags else {}


def _rgb(picture: Picture, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of exactly ``size``."""
    if isinstance(picture, Path):
        with Image.open(picture) as opened:
            image = opened.convert("RGB")
    elif isinstance(picture, str):
        image = Image.new("RGB", size, ImageColor.getrgb(picture))
    elif isinstance(picture, tuple):
        image = Image.new("RGB", size, picture)
    elif isinstance(picture, Image.Image):
        image = picture.convert("RGB")
    else:
        image = Image.fromarray(picture)
    return np.asarray(image if image.size == size else image.resize(size))


def _hum(video: av.container.OutputContainer, sound: av.AudioStream, seconds: float) -> None:
    """A quiet tone of 220 Hz."""
    block, total = 1024, int(seconds * _SOUND_RATE)
    for start in range(0, total, block):
        moments = np.arange(start, start + block) / _SOUND_RATE
        wave = (0.1 * np.sin(2 * np.pi * 220 * moments)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = _SOUND_RATE, start
        video.mux(sound.encode(frame))
    video.mux(sound.encode(None))
