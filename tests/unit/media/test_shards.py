"""Shards are read by name and limits; nothing in them is followed or unpacked."""

from __future__ import annotations

import json
import random
import tarfile
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.media import shards
from cocadesk.media.shards import ShardCounts, expand_braces, read_shards
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


def _shard(path: Path, *members: tuple[str, bytes]) -> Path:
    """A shard of these members, in order."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, data in members:
            add(tar, name, data)
    return path


def _read(path: Path) -> tuple[dict[str, tuple[bytes, tuple[str, ...]]], dict[str, int]]:
    """Picture and captions by key, and what was skipped."""
    counts = ShardCounts()
    samples = {s.key: (s.image, s.captions) for s in read_shards([path], counts)}
    return samples, counts.skipped


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_pictures_first_and_texts_later_are_joined_over_the_shard(
    tmp_path: Path, name: str
) -> None:
    """Whatever lies between them, and in a packed shard too."""
    pictures = [(f"{n}.jpg", b"picture %d" % n) for n in range(5)]
    texts = [(f"{n}.txt", b"caption %d" % n) for n in reversed(range(5))]
    samples, skipped = _read(_shard(tmp_path / name, *pictures, *texts))
    assert samples == {str(n): (b"picture %d" % n, (f"caption {n}",)) for n in range(5)}
    assert skipped == {}


def test_a_key_that_stands_there_twice_never_makes_a_wrong_pair(tmp_path: Path) -> None:
    """Which text belongs to which picture nobody can tell: skipped and counted."""
    path = _shard(
        tmp_path / "a.tar",
        ("0.jpg", b"a cow"),
        ("0.txt", b"cow"),
        ("0.jpg", b"a dog"),
        ("0.txt", b"dog"),
        ("1.jpg", b"a cat"),
        ("1.txt", b"cat"),
        ("2.jpg", b"a bird"),
        ("2.txt", b"bird"),
        ("2.txt", b"another bird"),
    )
    samples, skipped = _read(path)
    assert samples == {"1": (b"a cat", ("cat",))}
    assert skipped == {"a sample whose key stands there twice": 3}


def test_a_key_ends_at_the_first_dot_of_the_last_part(tmp_path: Path) -> None:
    """Of several pictures of one key each has its own text, or none is taken."""
    path = _shard(
        tmp_path / "a.tar",
        ("v1.0/0.input.jpg", b"a cow"),
        ("v1.0/0.outputs.txt", b"cow"),
        ("trip.2020.jpg", b"a sea"),
        ("trip.2021.jpg", b"a hill"),
        ("trip.2021.txt", b"hill"),
        ("trip.2020.txt", b"sea"),
        ("1.input.jpg", b"a dog"),
        ("1.mask.jpg", b"its mask"),
        ("1.txt", b"dog"),
        ("2.txt", b"alone"),
    )
    samples, skipped = _read(path)
    assert samples == {
        "v1.0/0": (b"a cow", ("cow",)),
        "trip.2020": (b"a sea", ("sea",)),
        "trip.2021": (b"a hill", ("hill",)),
    }
    assert skipped == {
        "a sample whose key stands there twice": 2,
        "a text without a picture": 1,
    }


def test_what_macos_packs_beside_files_is_no_sample(tmp_path: Path) -> None:
    """It has the pictures' names with ._ before them."""
    path = _shard(
        tmp_path / "a.tar",
        ("._0.jpg", b"\0\5\x16\7"),
        ("0.jpg", b"a cow"),
        ("._0.txt", b"\0\5\x16\7"),
        ("0.txt", b"cow"),
        ("__MACOSX/0.jpg", b"\0\5\x16\7"),
    )
    assert _read(path) == ({"0": (b"a cow", ("cow",))}, {})


def test_a_json_of_metadata_leaves_the_caption_to_the_text(tmp_path: Path) -> None:
    """One with captions goes first; one that is damaged does not cost the text."""
    path = _shard(
        tmp_path / "a.tar",
        ("0.jpg", b"x"),
        ("0.json", b'{"width": 96, "caption": null}'),
        ("0.txt", b"cow"),
        ("1.jpg", b"x"),
        ("1.txt", b"raw dog"),
        ("1.json", b'{"caption": "dog"}'),
        ("2.jpg", b"x"),
        ("2.txt", b"cat"),
        ("2.json", b"{"),
        ("3.jpg", b"x"),
        ("3.json", b"[" * 100_000),
    )
    samples, skipped = _read(path)
    assert {key: captions for key, (_, captions) in samples.items()} == {
        "0": ("cow",),
        "1": ("dog",),
        "2": ("cat",),
    }
    assert skipped == {"a caption file that cannot be read": 1}


def test_captions_of_a_shard_are_read_in_any_encoding(tmp_path: Path) -> None:
    """No mark becomes part of a caption; what was guessed is counted."""
    path = _shard(
        tmp_path / "a.tar",
        ("0.jpg", b"x"),
        ("0.txt", b"\xef\xbb\xbfa cow\r\nour Lotte\r"),
        ("1.jpg", b"x"),
        ("1.txt", "我们的小猫".encode("gbk")),
        ("2.jpg", b"x"),
        ("2.json", b"\xef\xbb\xbf" + b'{"caption": "a dog"}'),
    )
    counts = ShardCounts()
    captions = [sample.captions for sample in read_shards([path], counts)]
    assert captions == [("a cow", "our Lotte"), ("我们的小猫",), ("a dog",)]
    assert counts.guessed == {"GB18030": 1}


@pytest.mark.parametrize("cut", ["between members", "in a header", "in the middle"])
def test_a_shard_cut_between_members_is_told(tmp_path: Path, cut: str) -> None:
    """tarfile takes it for the end; half a set must not pass for the whole."""
    path = _shard(tmp_path / "a.tar", *((f"{n}.jpg", b"x") for n in range(4)))
    data = bytearray(path.read_bytes())
    if cut == "in the middle":
        data[2048:2560] = b"?" * 512
    else:
        del data[2048 + (100 if cut == "in a header" else 0) :]
    path.write_bytes(data)
    samples = read_shards([path])
    assert [next(samples).key, next(samples).key] == ["0", "1"]
    with pytest.raises(UserError, match="damaged" if cut == "in the middle" else "cut short"):
        next(samples)


def test_braces_name_many_shards(tmp_path: Path) -> None:
    """As webdataset and the shell read them; a file of that very name is itself."""
    names = [path.name for path in expand_braces(tmp_path / "s-{008..011}-{a,b}.tar")]
    assert names == [f"s-{n}-{x}.tar" for n in ("008", "009", "010", "011") for x in "ab"]
    assert [path.name for path in expand_braces(tmp_path / "s-{9..10}.tar")] == [
        "s-9.tar",
        "s-10.tar",
    ]
    odd = tmp_path / "s-{1..2}.tar"
    odd.touch()
    assert expand_braces(odd) == [odd]
    for n in (3, 4):
        write_shard(tmp_path / f"t-{n}.tar", 2)
    assert len(list(read_shards([tmp_path / "t-{3..4}.tar"]))) == 4
    with pytest.raises(UserError, match="the most"):
        expand_braces(tmp_path / "s-{0..999999999}.tar")


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_compressed_shard_is_read_as_a_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The media in memory or not; one that is damaged gives a sentence."""
    plain = write_shard(tmp_path / "a.tar", 4)
    packed = tmp_path / f"a.tar.{kind}"
    with tarfile.open(packed, f"w:{kind}") as tar, tarfile.open(plain) as source:
        for member in source:
            tar.addfile(member, source.extractfile(member))
    expected = list(read_shards([plain]))
    assert list(read_shards([packed])) == expected
    monkeypatch.setattr(shards, "KEPT_BYTES", len(expected[0].image) + 1)
    assert list(read_shards([packed])) == expected
    packed.write_bytes(packed.read_bytes()[:-900] + b"?" * 900)
    with pytest.raises(UserError, match="cannot be read"):
        list(read_shards([packed]))


COUNTERS = Path("/proc/self/io")


@pytest.mark.skipif(not COUNTERS.exists(), reason="needs the counters of Linux")
def test_a_compressed_shard_is_unpacked_once(tmp_path: Path) -> None:
    """Texts behind all media, media of whole blocks: no step back begins anew."""
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for number in range(4):
            add(tar, f"{number}.jpg", random.Random(number).randbytes(512 * 1024))
        for number in range(4):
            add(tar, f"{number}.txt", b"a dog")
    before = _bytes_read()
    assert len(list(read_shards([path]))) == 4
    assert _bytes_read() - before < 1.3 * path.stat().st_size


def _bytes_read() -> int:
    return int(COUNTERS.read_text().split()[1])
