"""Which files a scan finds, and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cocadesk.media.excludes import Excludes
from cocadesk.media.scanning import scan
from cocadesk.media.types import FoundFile, PassedOver, ScanProblem
from tests.support.photo_files import encode, quadrants
from tests.support.shared import shared_path
from tests.support.videos import make_clip_of_colours

JPEG = encode(quadrants(), "JPEG")


def found(*roots: Path) -> list[str]:
    """The paths found under ``roots``, relative to the first one, in order."""
    items = scan([os.fsencode(root) for root in roots])
    start = os.fsencode(roots[0])
    return [
        os.fsdecode(os.path.relpath(item.path, start))
        for item in items
        if isinstance(item, FoundFile)
    ]


def problems(*roots: Path) -> list[ScanProblem]:
    """The problems of a scan."""
    items = scan([os.fsencode(root) for root in roots])
    return [item for item in items if isinstance(item, ScanProblem)]


def put(path: Path, content: bytes = JPEG) -> Path:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_photos_are_found_by_extension_and_odd_ones_by_content(tmp_path: Path) -> None:
    """Known extensions are taken on trust, missing and unknown ones looked into."""
    put(tmp_path / "a.JPG")
    put(tmp_path / "b.heic", b"")
    put(tmp_path / "no_extension")
    put(tmp_path / "odd.xyz")
    put(tmp_path / "no_photo.xyz", b"words and words")
    put(tmp_path / "notes.txt")
    put(tmp_path / "sound.m4a", b"\x00\x00\x00\x18ftypM4A " + bytes(40))
    put(tmp_path / "a.JPG.xmp")
    put(tmp_path / "Thumbs.db")
    assert found(tmp_path) == ["a.JPG", "b.heic", "no_extension", "odd.xyz"]


def test_videos_are_found_like_photos(tmp_path: Path) -> None:
    """By extension, by content where the name says nothing; a TypeScript file is no video."""
    video = make_clip_of_colours(tmp_path / "clip.mp4").read_bytes()
    put(tmp_path / "VIDEO0001", video)
    put(tmp_path / "broken.mov", b"")
    put(tmp_path / "stream.bak2", make_clip_of_colours(tmp_path / "a.ts").read_bytes())
    put(tmp_path / "code.ts", b"export const answer = 42\n" * 40)
    put(tmp_path / "README", b"    free text" + bytes(4))
    assert found(tmp_path) == ["VIDEO0001", "a.ts", "broken.mov", "clip.mp4", "stream.bak2"]


def test_size_and_time_come_with_each_file(tmp_path: Path) -> None:
    """Enough to tell an unchanged file without reading it."""
    photo = put(tmp_path / "a.jpg")
    os.utime(photo, ns=(5, 10**18 + 7))
    (item,) = scan([os.fsencode(tmp_path)])
    status = photo.stat()
    assert item == FoundFile(
        root=os.fsencode(tmp_path),
        path=os.fsencode(photo),
        size_bytes=len(JPEG),
        mtime_ns=10**18 + 7,
        ctime_ns=status.st_ctime_ns,
        device=status.st_dev,
    )


def test_hidden_and_system_folders_are_left_out(tmp_path: Path) -> None:
    """Dot folders, thumbnails of network disks, recycle bins, resource files."""
    for folder in (".git", ".thumbnails", "@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX"):
        put(tmp_path / folder / "a.jpg")
    put(tmp_path / "._a.jpg")
    put(tmp_path / "kept" / "a.jpg")
    assert found(tmp_path) == ["kept/a.jpg"]


def test_a_library_inside_a_folder_is_left_out(tmp_path: Path) -> None:
    """Indexing the folder above a library does not find the library's own thumbnails."""
    put(tmp_path / "photo.jpg")
    put(tmp_path / "library" / "thumbs" / "ab" / "cd.jpg")
    put(tmp_path / "library" / "library.json", b"{}")
    (tmp_path / "library" / "store").mkdir()
    put(tmp_path / "other" / "library.json", b"{}")
    put(tmp_path / "other" / "kept.jpg")
    assert found(tmp_path) == ["photo.jpg", "other/kept.jpg"]


def test_a_hidden_folder_is_scanned_when_it_is_named(tmp_path: Path) -> None:
    """The person's choice counts more than the dot."""
    put(tmp_path / ".private" / "a.jpg")
    assert found(tmp_path / ".private") == ["a.jpg"]


def test_a_folder_called_like_a_photo_is_a_folder(tmp_path: Path) -> None:
    """dir.jpg is looked into, not decoded."""
    put(tmp_path / "dir.jpg" / "inside.jpg")
    assert found(tmp_path) == ["dir.jpg/inside.jpg"]
    assert problems(tmp_path) == []


def test_a_link_to_a_folder_above_is_reported_and_ends(tmp_path: Path) -> None:
    """A symlink loop must not run for ever."""
    put(tmp_path / "deep" / "a.jpg")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)
    assert found(tmp_path) == ["deep/a.jpg"]
    (problem,) = problems(tmp_path)
    assert problem.path.endswith(b"loop")
    assert "above" in problem.reason


def test_links_are_followed_once(tmp_path: Path) -> None:
    """A linked folder outside counts once, links to files inside and to nothing do not."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    put(outside / "far.jpg")
    put(inside / "near.jpg")
    (inside / "z1").symlink_to(outside)
    (inside / "z2").symlink_to(outside)
    (inside / "again.jpg").symlink_to(inside / "near.jpg")
    (inside / "nothing.jpg").symlink_to(inside / "gone.jpg")
    (inside / "itself.jpg").symlink_to(inside / "itself.jpg")
    assert found(inside) == ["near.jpg", "z1/far.jpg"]


def test_overlapping_roots_give_each_file_once(tmp_path: Path) -> None:
    """A root inside another root adds nothing."""
    put(tmp_path / "a" / "b.jpg")
    assert found(tmp_path, tmp_path / "a", tmp_path) == ["a/b.jpg"]


def test_a_single_file_may_be_a_root(tmp_path: Path) -> None:
    """Whatever it is called: the person named it."""
    photo = put(tmp_path / "photo.txt")
    (item,) = scan([os.fsencode(photo)])
    assert isinstance(item, FoundFile)
    assert item.root == item.path == os.fsencode(photo)


def test_a_missing_root_is_a_problem_and_the_others_are_scanned(tmp_path: Path) -> None:
    """The rest goes on."""
    put(tmp_path / "a.jpg")
    assert found(tmp_path, tmp_path / "gone") == ["a.jpg"]
    (problem,) = problems(tmp_path / "gone")
    assert problem.reason.endswith(".")


def test_names_that_are_no_utf8_are_found(tmp_path: Path) -> None:
    """Paths are bytes; nothing is lost or changed."""
    name = os.fsencode(tmp_path) + b"/caf\xe9 \xff\xfe.jpg"
    try:
        put(Path(os.fsdecode(name)))
    except OSError:
        pytest.skip("this file system refuses names that are not UTF-8")
    (item,) = scan([os.fsencode(tmp_path)])
    assert item.path == name


def test_pipes_and_devices_are_never_opened(tmp_path: Path) -> None:
    """Opening one could block for ever."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no FIFOs")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe")
    assert list(scan([os.fsencode(tmp_path)])) == []


def test_a_folder_without_permission_is_a_problem_and_the_rest_is_found(tmp_path: Path) -> None:
    """Run as a plain user: root may read everything."""
    put(tmp_path / "closed" / "a.jpg")
    put(tmp_path / "open" / "b.jpg")
    (tmp_path / "closed").chmod(0)
    program = (
        "import os, sys\n"
        "if os.getuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from cocadesk.media.types import FoundFile\n"
        "for item in scan([os.fsencode(sys.argv[1])]):\n"
        "    print(type(item).__name__, os.fsdecode(item.path), getattr(item, 'reason', ''))\n"
    )
    # Everything is imported before the privileges go: the checkout may be closed to others.
    program = "import os\nfrom cocadesk.media.scanning import scan\nscan([])\n" + program
    tmp_path.chmod(0o755)
    parents = [parent for parent in tmp_path.parents if parent.stat().st_uid == os.getuid()]
    modes = {parent: parent.stat().st_mode for parent in parents}
    if os.getuid() == 0:
        for parent in parents:
            parent.chmod(modes[parent] | 0o011)
    try:
        run = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).resolve().parents[3],
        )
    finally:
        for parent, mode in modes.items():
            if os.getuid() == 0:
                parent.chmod(mode)
        (tmp_path / "closed").chmod(0o755)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == 2
    assert any(line.startswith("FoundFile") and "b.jpg" in line for line in lines)
    assert any(line.startswith("ScanProblem") and "permission" in line for line in lines)


def test_a_link_to_a_folder_above_the_root_or_to_the_systems_own_disks_ends(
    tmp_path: Path,
) -> None:
    """The whole system is not walked through a link to its top."""
    put(tmp_path / "photos" / "a.jpg")
    (tmp_path / "photos" / "top").symlink_to("/")
    (tmp_path / "photos" / "system").symlink_to("/proc")
    entries = list(scan([os.fsencode(tmp_path / "photos")]))
    assert [entry.path.rpartition(b"/")[2] for entry in entries] == [b"a.jpg", b"system", b"top"]
    assert sum(isinstance(entry, FoundFile) for entry in entries) == 1


def test_a_link_into_a_hidden_folder_is_a_file_and_one_to_a_scanned_place_is_not(
    tmp_path: Path,
) -> None:
    """Each photo once: the hidden folder itself is not looked into."""
    put(tmp_path / ".annex" / "key")
    put(tmp_path / "b.jpg")
    (tmp_path / "a.jpg").symlink_to(tmp_path / ".annex" / "key")
    (tmp_path / "c.jpg").symlink_to(tmp_path / "b.jpg")
    assert found(tmp_path) == ["a.jpg", "b.jpg"]


def passed_over(root: Path, *patterns: str) -> dict[str, str]:
    """What a scan leaves out by a rule, relative to the root, with the reasons."""
    excludes = Excludes({os.fsencode(root): [os.fsencode(pattern) for pattern in patterns]})
    items = scan([os.fsencode(root)], excludes)
    return {
        os.fsdecode(os.path.relpath(item.path, os.fsencode(root))): item.reason
        for item in items
        if isinstance(item, PassedOver)
    }


def test_a_folder_with_a_nomedia_file_is_passed_over_with_all_below(tmp_path: Path) -> None:
    """Unless a person added that very folder."""
    put(tmp_path / "a.jpg")
    put(tmp_path / "hidden" / ".nomedia", b"")
    put(tmp_path / "hidden" / "b.jpg")
    put(tmp_path / "hidden" / "below" / "c.jpg")
    assert found(tmp_path) == ["a.jpg"]
    assert list(passed_over(tmp_path)) == ["hidden"]
    assert found(tmp_path / "hidden") == ["b.jpg", "below/c.jpg"]


def test_exiftools_copies_are_passed_over_where_their_photo_is(tmp_path: Path) -> None:
    """Of a photo that is gone the copy is all that there is."""
    put(tmp_path / "a.jpg")
    put(tmp_path / "a.jpg_original")
    put(tmp_path / "b.jpg_original")
    assert found(tmp_path) == ["a.jpg", "b.jpg_original"]
    assert list(passed_over(tmp_path)) == ["a.jpg_original"]


@pytest.mark.parametrize(
    "package",
    [
        "Photos Library.photoslibrary",
        "Old.aplibrary",
        "iPhoto.photolibrary",
        "iPhoto.migratedphotolibrary",
        "Catalog Previews.lrdata",
        "Catalog.LRLIBRARY",
    ],
)
def test_packages_of_other_programs_are_passed_over(tmp_path: Path, package: str) -> None:
    """They hold each photo several times; only the one that is named itself is looked into."""
    put(tmp_path / package / "originals" / "a.jpg")
    put(tmp_path / "b.jpg")
    assert found(tmp_path) == ["b.jpg"]
    assert list(passed_over(tmp_path)) == [package]
    assert found(tmp_path / package) == ["originals/a.jpg"]


def test_excluded_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    """By a person's patterns; the reason says so."""
    for name in ("a.jpg", "b.png", "raw/c.jpg", "x/raw/d.jpg", "x/e.jpg"):
        put(tmp_path / name)
    left_out = passed_over(tmp_path, "*.png", "/raw")
    assert left_out == {"b.png": "It is excluded.", "raw": "It is excluded."}
    excludes = Excludes({os.fsencode(tmp_path): [b"*.png", b"/raw"]})
    items = list(scan([os.fsencode(tmp_path)], excludes))
    assert [i.path[-5:] for i in items if isinstance(i, FoundFile)] == [
        b"a.jpg",
        b"e.jpg",
        b"d.jpg",
    ]


def test_an_excluded_place_that_is_named_itself_is_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    """It would go again with the next scan of its folder."""
    put(tmp_path / "raw" / "a.jpg")
    excludes = Excludes({os.fsencode(tmp_path): [b"/raw"]})
    for name in ("raw", "raw/a.jpg"):
        (item,) = scan([os.fsencode(tmp_path / name)], excludes)
        assert isinstance(item, ScanProblem)
        assert "excluded" in item.reason


def test_a_link_to_an_excluded_file_does_not_bring_it_back(tmp_path: Path) -> None:
    """Forgotten photos are excluded; no other name leads to them."""
    put(tmp_path / "raw" / "a.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "raw" / "a.jpg")
    excludes = Excludes({os.fsencode(tmp_path): [b"/raw"]})
    assert not [i for i in scan([os.fsencode(tmp_path)], excludes) if isinstance(i, FoundFile)]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["tape.dv", "film.ogg", "camera.264", "starts_mid_packet.ts"])
def test_videos_without_a_usual_container_are_found(name: str, tmp_path: Path) -> None:
    """Tapes, Ogg Theora, a camera's bare stream, a piece of a broadcast; by content, if need be."""
    data = (shared_path("faults/videos") / name).read_bytes()
    (tmp_path / name).write_bytes(data)
    (tmp_path / "IMG0001").write_bytes(data)
    found = [item.path for item in scan([bytes(tmp_path)]) if isinstance(item, FoundFile)]
    assert found == [bytes(tmp_path / "IMG0001"), bytes(tmp_path / name)]


def test_drawings_and_previews_are_passed_over_with_a_reason(tmp_path: Path) -> None:
    """They show something, so leaving them out is said; other programs' files are not named."""
    for name in ("logo.xcf", "GH010001.LRV", "notes.txt", "voice.ogg"):
        (tmp_path / name).write_bytes(b"OggS" + bytes(60))
    entries = list(scan([bytes(tmp_path)]))
    assert all(isinstance(entry, PassedOver) for entry in entries)
    assert {entry.path.rpartition(b"/")[2] for entry in entries} == {b"logo.xcf", b"GH010001.LRV"}
