"""Shards are read by name and limits; nothing in them is followed or unpacked."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.media import shards
from cocadesk.media.shards import ShardCounts, read_shards
from tests.support.tiny_shards import add, write_shard
from tests.support.videos import make_clip_of_colours


def test_samples_come_with_their_captions_in_order(tmp_path: Path) -> None:
    """Keys, captions and bytes are those of the archive."""
    samples = list(read_shards([write_shard(tmp_path / "a.tar", 3)]))
    assert [sample.key for sample in samples] == ["0000", "0001", "0002"]
    assert samples[0].captions == ("a red picture number 0.", "something red")
    assert samples[0].image[:2] == b"\xff\xd8"
    assert samples[0].source == "made"


def test_links_unsafe_paths_and_broken_captions_are_counted_not_followed(tmp_path: Path) -> None:
    """A hostile archive costs its bad members, nothing else."""
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w") as tar:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        add(tar, "../escape.jpg", b"x")
        add(tar, "/absolute.jpg", b"x")
        add(tar, "bad.jpg", b"x")
        add(tar, "bad.json", b"{not json")
        add(tar, "list.jpg", b"x")
        add(tar, "list.json", b'["a"]')
        add(tar, "good.jpg", b"x")
        add(tar, "good.json", json.dumps({"captions": ["a dog", 7]}).encode())
    counts = ShardCounts()
    samples = list(read_shards([path], counts))
    assert [(s.key, s.captions) for s in samples] == [("good", ("a dog",))]
    assert counts.skipped == {
        "a link or device in the archive": 1,
        "an unsafe path in the archive": 2,
        "a caption file that cannot be read": 2,
    }


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes are checked before a member is read."""
    monkeypatch.setattr(shards, "MAX_MEDIA_BYTES", 10)
    counts = ShardCounts()
    assert list(read_shards([write_shard(tmp_path / "a.tar", 2)], counts)) == []
    assert counts.skipped == {"a file over the size limit": 2}


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 99])
def test_a_file_that_is_no_shard_gives_a_sentence(tmp_path: Path, data: bytes) -> None:
    """Missing and foreign files say what to give."""
    path = tmp_path / "foreign.tar"
    path.write_bytes(data)
    with pytest.raises(UserError, match="cannot be read"):
        list(read_shards([path]))
    with pytest.raises(UserError, match="cannot be read"):
        list(read_shards([tmp_path / "absent.tar"]))


def test_a_shard_cut_short_gives_a_sentence_after_its_whole_samples(tmp_path: Path) -> None:
    """What is whole is read; the cut is told."""
    path = write_shard(tmp_path / "a.tar", 6)
    path.write_bytes(path.read_bytes()[:9000])
    samples = read_shards([path])
    assert next(samples).key == "0000"
    with pytest.raises(UserError, match="cannot be read"):
        list(samples)


def test_clips_come_as_video_when_asked_for(tmp_path: Path) -> None:
    """KEY.mp4 is a sample of its own kind; who asks for pictures alone does not meet it."""
    path = tmp_path / "mixed.tar"
    video = make_clip_of_colours(tmp_path / "a.mp4").read_bytes()
    with tarfile.open(path, "w") as tar:
        for name, data in (("clip.mp4", video), ("photo.jpg", b"x")):
            add(tar, name, data)
            record = {"captions": [f"a {name}"]}
            add(tar, f"{name.split('.')[0]}.json", json.dumps(record).encode())
    clip, photo = read_shards([path], suffixes=shards.MEDIA_SUFFIXES)
    assert (clip.video, clip.image, clip.captions) == (video, b"", ("a clip.mp4",))
    assert (photo.video, photo.image) == (None, b"x")
    counts = ShardCounts()
    assert [sample.key for sample in read_shards([path], counts)] == ["photo"]
    assert counts.skipped == {"a sample of another kind": 1}
