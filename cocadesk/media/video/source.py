"""The door to PyAV (FFmpeg): opens a video and gives its frames with their times.

The file is handed over as an open file, never by name, so that no demuxer can
reach another file or the network; those that would (playlists, concatenation)
are not among the formats allowed. Runs where it is called: for files from the
user's disk that is a worker of the pool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import BinaryIO, Protocol, cast

import av
import av.container
import av.error
import av.logging

from cocadesk.errors import kept
from cocadesk.media.sniffing import SNIFF_BYTES, describe_other, sniff_kind
from cocadesk.media.types import DecodeLimits, Kind, PhotoError, PhotoMetadata
from cocadesk.media.video.lenses import lens_pair, side_by_side
from cocadesk.media.video.metadata import content_id_of, read_video_metadata

av.logging.set_level(None)  # its messages would come from FFmpeg's own threads

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,asf_o,flv,live_flv,ogg,"
    "rm,mxf,gxf,nut,dv,ivf,obu,av1,h261,h263,h264,hevc,vvc,m4v,vc1,vc1test,avs2,avs3,cavsvideo,"
    "dirac,mjpeg,smjpeg,yuv4mpegpipe,wtv,nsv,nuv,ty,pva,amv,roq,smk,bink,flic,bfi,rl2,4xm,film_cpk,"
    "ea,thp,vmd,wc3movie,idcin,wsvqa,mtv,lmlm4,vivo,viv,xmv,swf,r3d,kux,ismv,f4v"
)
_READ_BYTES = 256 << 10
# More threads than two gain little for one video and cost a frame's memory each. Only decoders
# that tell of damage get them: in a damaged video, frames decoded side by side come out by chance.
_THREADED = frozenset({"h264", "hevc", "libdav1d"})
_THREADED_PIXELS = 16_000_000
_BYTES_PER_PIXEL = 9
"""About what decoding takes: four frames at 1.5 bytes a pixel and one in RGB."""
_MOST_WAITING = 64
"""Frames of one lens that are kept until the other has one of their time."""
_CLOCK_RESTART_S = 1.0
"""A clock that goes back so far began anew: recordings were joined as they were."""
_NAMES = {
    "mov,mp4,m4a,3gp,3g2,mj2": "MP4",
    "matroska,webm": "Matroska",
    "mpegts": "MPEG-TS",
    "mpeg": "MPEG",
    "avi": "AVI",
    "asf": "Windows Media",
    "flv": "Flash video",
    "ogg": "Ogg",
    "mxf": "MXF",
    "rm": "RealMedia",
}


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """A decoded frame and the time at which it is shown, in seconds from the video's start."""

    time_s: float
    frame: av.VideoFrame


class Faults(Enum):
    """The treatment of faults in a video. Try them in this order."""

    REFUSE = auto()
    """End at the first fault with ``DamagedError``: what was given is right to the last bit."""
    LEAVE_OUT = auto()
    """Leave out frames that are known to be damaged."""
    SHOW = auto()
    """Show them too: better than nothing. They may hold what was left in memory."""


class DamagedError(Exception):
    """A fault in a video that may have none."""


class FrameSource(Protocol):
    """Anything that gives frames in the order of their times: a video, an animated picture."""

    @property
    def format_name(self) -> str:
        """The format's name as people know it."""

    @property
    def pixel_aspect(self) -> Fraction:
        """A pixel's width divided by its height."""

    @property
    def hinted_duration_s(self) -> float | None:
        """The duration that the head claims; None where it says nothing."""

    @property
    def stated_duration_s(self) -> float | None:
        """The same, where it is that of the picture."""

    @property
    def end_s(self) -> float | None:
        """The end of the last frame, where that is sure once all have been read."""

    @property
    def usual_interval_s(self) -> float:
        """The time from one frame to the next."""

    @property
    def metadata(self) -> PhotoMetadata:
        """The metadata of the file."""

    def frames(self) -> Iterator[ShownFrame]:
        """The frames, each later than the one before it."""

    def close(self) -> None:
        """Lets go of the decoder."""


class VideoSource:
    """An open video: what its header says, and its frames in the order of their times.

    With faults allowed only one thread decodes, so that a damaged video gives
    the same frames again.
    """

    end_s: float | None = None

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        limits: DecodeLimits,
        faults: Faults,
    ) -> None:
        self.container = container
        self.stream = stream
        self._streams = lens_pair(container, stream) or (stream,)
        self._limits = limits
        self._faults = faults
        self.has_guessed_times = False
        """True once a frame's own time stamp did not say when it is shown."""

    @classmethod
    def open(
        cls, file: BinaryIO, limits: DecodeLimits | None = None, faults: Faults = Faults.LEAVE_OUT
    ) -> VideoSource:
        """Opens the video in ``file``, which must be seekable, at its start, and stay open.

        Raises:
            PhotoError: it is no video, has no picture, or is too large.
        """
        limits = limits or DecodeLimits()
        head = file.read(SNIFF_BYTES)
        file.seek(0)
        if not head:
            raise PhotoError(kept("The file is empty."), is_photo=False)
        if head[4:8] == b"ftyp":
            _check_not_encrypted(file)
            file.seek(0)
        try:
            container = av.open(
                file,
                "r",
                options={"format_whitelist": _FORMATS, "protocol_whitelist": ""},
                metadata_errors="replace",
                buffer_size=_READ_BYTES,
            )
        except av.error.FFmpegError as error:
            _raise_memory(error)
            raise PhotoError(_why_not_opened(file, head), is_photo=False) from error
        try:
            return cls(container, _picture_stream(container, limits), limits, faults)
        except BaseException:
            container.close()
            raise

    def close(self) -> None:
        """Lets go of the decoder; the file is the caller's."""
        self.container.close()

    @property
    def format_name(self) -> str:
        """The container's name as people know it."""
        name = self.container.format.name
        brand = self.container.metadata.get("major_brand", "").strip()
        if brand == "qt":
            return "QuickTime"
        if brand.startswith("3g"):
            return "3GP"
        if name == "matroska,webm" and self.stream.codec_context.name in _WEBM_CODECS:
            return "WebM"
        return _NAMES.get(name, name.split(",")[0].upper())

    @property
    def metadata(self) -> PhotoMetadata:
        """The metadata from the tags of the container and of the picture."""
        return read_video_metadata(self.container.metadata, self.stream.metadata)

    @property
    def content_id(self) -> str:
        """Apple's name for what both files of a Live Photo show; empty where there is none."""
        return content_id_of(self.container.metadata)

    @property
    def stated_duration_s(self) -> float | None:
        """The picture's duration by the header of its stream; None where it says nothing."""
        base, duration = self.stream.time_base, self.stream.duration
        if base is None or duration is None or duration <= 0:
            return None
        return float(duration * base)

    @property
    def hinted_duration_s(self) -> float | None:
        """The same, or else the duration of the file with its sound."""
        whole = self.container.duration
        from_file = whole / 1_000_000 if whole and whole > 0 else None
        return self.stated_duration_s or from_file

    @property
    def pixel_aspect(self) -> Fraction:
        """A pixel's width divided by its height; 1 where that is absurd or unknown."""
        aspect = self.stream.sample_aspect_ratio
        if aspect is None or not Fraction(1, 8) <= aspect <= 8:
            return Fraction(1)
        return Fraction(aspect)

    @property
    def usual_interval_s(self) -> float:
        """The time from one frame to the next by the header; a guess where it is silent."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return float(1 / rate) if rate else 0.04

    def frames(self) -> Iterator[ShownFrame]:
        """The frames from here on, each later than the one before it; faulty ones are left out.

        Times come from the container: the frame's time stamp less the
        stream's start. A frame that would go back in time is never shown, unless the
        clock began anew: joined recordings are one after the other.

        Raises:
            DamagedError: there is a fault, and faults are refused.
            PhotoError: a frame has more pixels than is allowed.
        """
        last_s, shift_s = -1.0, 0.0
        for frame in self._joined():
            self._limits.check_size(frame.width, frame.height, _BYTES_PER_PIXEL)
            stamp_s = self._time_of(frame)
            time_s = -1.0 if stamp_s is None else max(0.0, stamp_s + shift_s)
            if stamp_s is None or last_s - time_s > _CLOCK_RESTART_S:
                self.has_guessed_times = True
                time_s = last_s + self.usual_interval_s if last_s >= 0 else 0.0
                shift_s = shift_s if stamp_s is None else time_s - stamp_s
            if time_s > last_s:
                last_s = time_s
                yield ShownFrame(time_s, frame)

    def seek(self, time_s: float) -> bool:
        """Goes to a key frame at or before ``time_s``; False where the file cannot do that."""
        base = self.stream.time_base
        if base is None:
            return False
        try:
            self.container.seek(self._origin + int(time_s / base), stream=self.stream)
        except av.error.FFmpegError:
            return False
        return True

    @property
    def _origin(self) -> int:
        """The time stamp that counts as zero."""
        start, base = self.stream.start_time, self.stream.time_base
        if start is not None:
            return start
        whole = self.container.start_time
        return int(Fraction(whole, 1_000_000) / base) if whole and base else 0

    def _time_of(self, frame: av.VideoFrame) -> float | None:
        base = frame.time_base or self.stream.time_base
        if frame.pts is None or base is None:
            return None
        return float((frame.pts - self._origin) * base)

    def _joined(self) -> Iterator[av.VideoFrame]:
        """The frames; those of a camera with two lenses, whose pictures are two, side by side."""
        waiting: dict[int, deque[av.VideoFrame]] = {one.index: deque() for one in self._streams}
        for number, frame in self._decoded():
            if len(waiting) == 1:
                yield frame
                continue
            waiting[number].append(frame)
            if len(waiting[number]) > _MOST_WAITING:  # the other lens has lost its frames
                waiting[number].popleft()
            if all(waiting.values()):
                yield side_by_side([queue.popleft() for queue in waiting.values()])

    def _set_up(self, context: av.VideoCodecContext) -> None:
        if not context.is_open:
            is_large = context.width * context.height > _THREADED_PIXELS
            is_strict = self._faults is Faults.REFUSE
            threaded = is_strict and context.name in _THREADED and not is_large
            context.thread_count = 2 if threaded else 1
            context.thread_type = "AUTO"
            if is_strict:
                context.options = {"err_detect": "explode"}

    def _decoded(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """The number of a stream and its next frame, as they lie in the file."""
        for stream in self._streams:
            self._set_up(stream.codec_context)
        packets = self.container.demux(*self._streams)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except av.error.FFmpegError as error:
                _raise_memory(error)
                return  # the rest of the file is missing or unreadable
            try:
                frames = cast("list[av.VideoFrame]", packet.decode())
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                _raise_memory(error)
                if self._faults is Faults.REFUSE:
                    raise DamagedError from error
                continue
            for frame in frames:
                if frame.is_corrupt and self._faults is Faults.REFUSE:
                    raise DamagedError
                if not frame.is_corrupt or self._faults is Faults.SHOW:
                    yield packet.stream.index, frame


_ENCRYPTED = (b"encv", b"drmi")
"""Names of the pictures' coding in MP4: common encryption, and Apple's."""
_INDEX_BYTES = 16 << 20
_WEBM_CODECS = frozenset({"vp8", "vp9", "libdav1d", "av1", "libvpx", "libvpx-vp9"})


def _picture_stream(container: av.container.InputContainer, limits: DecodeLimits) -> av.VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream) or _is_cover(stream):
        raise PhotoError(_why_no_picture(container), is_photo=False)
    context = stream.codec_context
    if context is None:
        raise PhotoError(
            kept("The video's picture is stored in a way that CocaDesk cannot decode.")
        )
    if context.width and context.height:
        limits.check_size(context.width, context.height, _BYTES_PER_PIXEL)
    return stream


def _is_cover(stream: av.VideoStream) -> bool:
    """True for the cover art of a piece of music."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _why_no_picture(container: av.container.InputContainer) -> str:
    kinds = {stream.type for stream in container.streams}
    if "audio" in kinds:
        return kept("The file has sound but no moving picture.")
    if "subtitle" in kinds:
        return kept("The file has subtitles but no picture.")
    return kept("The video is empty: its header names no picture and no sound.")


def _why_not_opened(file: BinaryIO, head: bytes) -> str:
    if sniff_kind(head) is not Kind.VIDEO:
        return kept("This is no video but {kind}.", kind=describe_other(head))
    if head[4:8] == b"ftyp" and _index(file) is None:
        return kept(
            "The video's index is missing: the recording or the copy was cut off before its end."
        )
    return kept("The video's beginning is damaged or cut off, so it cannot be opened.")


def _index(file: BinaryIO) -> bytes | None:
    """The (beginning of the) ``moov`` box at the top level of an MP4 or QuickTime file."""
    position = 0
    for _ in range(1000):
        file.seek(position)
        box = file.read(16)
        if len(box) < 8:
            return None
        size = int.from_bytes(box[:4], "big")
        if size == 1:
            size = int.from_bytes(box[8:16], "big")
        if box[4:8] == b"moov":
            return box[8:] + file.read(min(max(size - 16, 0), _INDEX_BYTES))
        if size < 8:
            return None
        position += size
    return None


def _check_not_encrypted(file: BinaryIO) -> None:
    """Refuses a video that could only be decoded into noise.

    Raises:
        PhotoError: its picture is encrypted.
    """
    index = _index(file) or b""
    if b"sinf" in index and any(name in index for name in _ENCRYPTED):
        reason = kept("The video is encrypted: only the program that has its key can show it.")
        raise PhotoError(reason)


def _raise_memory(error: Exception) -> None:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == 12:
        raise MemoryError from error
