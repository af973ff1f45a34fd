"""Arguments of commands: files, folders, shards, classes, packages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cocadesk.cli.commands.children import check_own_package, foreign_package, own_folder
from cocadesk.cli.measured_media import class_folders, shard_files
from cocadesk.cli.options import absolute_paths, existing_folders
from cocadesk.engine.file_descriptions import find_files
from cocadesk.errors import UserError
from cocadesk.protocol.paths import WirePath
from tests.support.index_tools import write_photo


def test_named_files_keep_their_order_and_folders_give_their_photos(tmp_path: Path) -> None:
    """Each file once, a named file whatever it is."""
    write_photo(tmp_path / "z.jpg", 1)
    write_photo(tmp_path / "folder" / "a.jpg", 2)
    (tmp_path / "folder" / "notes.txt").write_text("words")
    (tmp_path / "other.txt").write_text("words")
    names = ("z.jpg", "folder", "other.txt", "z.jpg")
    asked = find_files([os.fsencode(tmp_path / name) for name in names])
    assert [path.rpartition(b"/")[2] for path in asked.paths] == [b"z.jpg", b"a.jpg", b"other.txt"]
    assert asked.failed == []


def test_a_missing_file_among_others_is_a_failure_and_alone_an_error(tmp_path: Path) -> None:
    """The rest goes on; with nothing to do it is said at once."""
    write_photo(tmp_path / "a.jpg", 1)
    asked = find_files([os.fsencode(tmp_path / name) for name in ("a.jpg", "b.jpg")])
    assert [failure.reason for failure in asked.failed] == ["There is no such file."]
    with pytest.raises(UserError, match=r"b\.jpg cannot be read"):
        find_files([os.fsencode(tmp_path / "b.jpg")])


def test_names_that_are_not_utf8_are_taken_as_bytes(tmp_path: Path) -> None:
    """Python hands such arguments over with surrogates."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    write_photo(Path(name), 3)
    assert [path.to_bytes() for path in absolute_paths([name])] == [os.fsencode(name)]
    assert [path.to_bytes() for path in existing_folders([name])] == [os.fsencode(name)]
    assert find_files([os.fsencode(name)]).paths == [os.fsencode(name)]


def test_a_mistyped_folder_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """Indexing the others would hide the mistake."""
    with pytest.raises(UserError, match="no folder"):
        existing_folders([str(tmp_path), str(tmp_path / "nothere")])
    assert existing_folders([str(tmp_path), f"{tmp_path}/"]) == (WirePath.of(tmp_path),)


def test_shards_may_be_files_or_folders_of_tars(tmp_path: Path) -> None:
    """A folder without a tar, and a file that is not there, are errors."""
    for name in ("b.tar", "a.tar"):
        (tmp_path / name).write_bytes(b"")
    assert shard_files([tmp_path]) == [tmp_path / "a.tar", tmp_path / "b.tar"]
    assert shard_files([tmp_path / "b.tar"]) == [tmp_path / "b.tar"]
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, tmp_path / "c.tar"):
        with pytest.raises(UserError, match="no shard"):
            shard_files([path])


def test_classes_are_the_visible_subfolders_by_name(tmp_path: Path) -> None:
    """At least two; files and hidden folders do not count."""
    for name in ("sea_lion", "dog", ".cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("")
    folders = class_folders(os.fsencode(tmp_path))
    assert [folder.rpartition(b"/")[2] for folder in folders] == [b"dog", b"sea_lion"]
    with pytest.raises(UserError, match="no classes"):
        class_folders(os.fsencode(tmp_path / "dog"))
    with pytest.raises(UserError, match="No such file"):
        class_folders(os.fsencode(tmp_path / "nothere"))


def test_a_foreign_package_of_our_name_is_found_before_ours(tmp_path: Path) -> None:
    """A ``trainer.py`` or ``ui/`` earlier on the module path is named; ours is not foreign."""
    ours = str(own_folder("trainer").parent)
    assert foreign_package("trainer", [ours]) is None
    assert foreign_package("trainer", [str(tmp_path)]) is None
    (tmp_path / "trainer.py").write_text("")
    assert foreign_package("trainer", [str(tmp_path), ours]) == tmp_path / "trainer.py"
    assert foreign_package("trainer", [ours, str(tmp_path)]) is None
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "__init__.py").write_text("")
    assert foreign_package("ui", [str(tmp_path), ours]) == tmp_path / "ui" / "__init__.py"


def test_a_package_that_has_taken_our_place_is_named_in_a_sentence(tmp_path: Path) -> None:
    """PyPI's own ``trainer`` installed over ours, or nothing at all."""
    check_own_package("trainer")
    with pytest.raises(UserError, match="missing"):
        check_own_package("trainer", tmp_path / "trainer")
    (tmp_path / "trainer").mkdir()
    with pytest.raises(UserError, match="not CocaDesk's own"):
        check_own_package("trainer", tmp_path / "trainer")
