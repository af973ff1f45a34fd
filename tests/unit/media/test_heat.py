"""Heat over photos: where it lies, its colours, and the sheet."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cocadesk.media.heat import OPACITY, Titled, layer_png, over_photo, peak, seen, sheet_jpeg
from cocadesk.picture_input import Resize

CORNER = np.zeros((9, 9), np.float32)
CORNER[0, 8] = 1.0


def _photo(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(data, "JPEG")
    return data.getvalue()


def test_heat_covers_the_whole_photo_where_the_model_saw_it_squashed() -> None:
    """The hottest place is where the hottest cell lies."""
    heat = over_photo(CORNER, Resize.SQUASH, 90, 45)
    assert heat.shape == (45, 90)
    assert (heat.min(), heat.max()) == (0, pytest.approx(1, abs=0.1))
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    assert (y < 5, x >= 80) == (True, True)
    assert peak(CORNER, Resize.SQUASH, 90, 45) == pytest.approx((8.5 / 9, 0.5 / 9))
    assert seen(Resize.SQUASH, 90, 45) == (0, 0, 1, 1)


def test_heat_covers_the_middle_where_the_model_saw_that_alone() -> None:
    """What it never saw has no heat, and its peak lies inside of the square."""
    heat = over_photo(CORNER, Resize.CENTER_CROP, 90, 45)
    columns = np.isnan(heat).all(0).nonzero()[0].tolist()
    assert columns in ([*range(22), *range(67, 90)], [*range(23), *range(68, 90)])
    assert seen(Resize.CENTER_CROP, 90, 45) == (0.25, 0, 0.75, 1)
    across, down = peak(CORNER, Resize.CENTER_CROP, 90, 45)
    assert (across, down) == pytest.approx((0.25 + 0.5 * 8.5 / 9, 0.5 / 9))
    assert seen(Resize.CENTER_CROP, 45, 90) == (0, 0.25, 1, 0.75)


def test_a_layer_grows_lighter_with_the_heat_and_has_the_photos_shape() -> None:
    """By lightness, so that nobody depends on telling colours apart."""
    ramp = np.tile(np.linspace(0, 1, 9, dtype=np.float32), (9, 1))
    with Image.open(io.BytesIO(layer_png(ramp, Resize.SQUASH, 4000, 3000))) as layer:
        assert (layer.mode, layer.size) == ("RGBA", (512, 384))
        grey = np.asarray(layer.convert("RGB").convert("L"))[192]
        alpha = np.asarray(layer)[..., 3]
    assert (np.diff(grey.astype(int)) >= -1).all()
    assert int(grey[-1]) - int(grey[0]) > 150
    assert set(alpha.ravel().tolist()) == {round(OPACITY * 255)}


@pytest.mark.parametrize(("count", "size"), [(1, (600, 400)), (7, (400, 3)), (3, (1, 1))])
def test_a_sheet_holds_all_maps_of_any_photo(count: int, size: tuple[int, int]) -> None:
    """A long word is cut, a long caption wrapped; panoramas and single pixels work."""
    maps = [Titled("incomprehensibilities" * 5, CORNER) for _ in range(count)]
    jpeg = sheet_jpeg(_photo(*size), "word " * 80, maps, Resize.SQUASH, ("elsewhere", "here"))
    with Image.open(io.BytesIO(jpeg)) as sheet:
        assert 400 <= sheet.width <= 1400
        assert sheet.height < 6000
