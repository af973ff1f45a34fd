"""Pictures with every pixel: on demand, the newest kept, none left behind."""

from __future__ import annotations

from pathlib import Path

from cocadesk.engine.full_pictures import FullPictures


def test_the_pictures_looked_at_last_are_kept_within_a_limit(tmp_path: Path) -> None:
    """Looking again at one keeps it; a single one larger than the limit stays."""
    fulls = FullPictures(most_bytes=250)
    paths = [tmp_path / "ab" / f"{name}-full.jpg" for name in "abcd"]
    for path in paths[:2]:
        fulls.keep(path, bytes(100))
    assert fulls.has(paths[0])
    fulls.keep(paths[2], bytes(100))
    assert [path.exists() for path in paths[:3]] == [True, False, True]
    fulls.keep(paths[3], bytes(300))
    assert [path.exists() for path in paths] == [False, False, False, True]


def test_none_stays_on_the_disk_once_the_engine_has_ended(tmp_path: Path) -> None:
    """They are large and quickly made again."""
    fulls = FullPictures()
    path = tmp_path / "one-full.jpg"
    fulls.keep(path, b"x")
    fulls.close()
    assert not path.exists()
    assert not fulls.has(path)
