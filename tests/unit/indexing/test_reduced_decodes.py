"""A photo that is decoded small is embedded as if it had been decoded whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from cocadesk.media.photo.decode import decode_photo, decode_rgb
from cocadesk.media.photo.resize import resize
from cocadesk.model.backend import Backend, open_backend
from tests.support.shared import shared_path


@pytest.fixture(scope="module")
def starter() -> Iterator[Backend]:
    """The model that ships."""
    with open_backend() as backend:
        yield backend


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "f_flowers.jpeg",
        "f_heic_arrow_iphone.heic",
        "f_heic_depth.heic",
        "f_heic_iphone_2.heic",
        "f_heic_iphone_grid.HEIC",
        "f_landscape_6.jpg",
        "f_portrait_8.jpg",
        "f_zero_length_string.jpg",
    ],
)
def test_a_reduced_decode_is_embedded_as_the_whole_one(starter: Backend, name: str) -> None:
    """Cosine of .995 and more; DCT scales, tiles and halving together."""
    data = (shared_path("media/photos") / name).read_bytes()
    spec = starter.info().input_spec
    whole = resize(decode_rgb(data).rgb_HWC, spec.size_px, spec.size_px)
    pictures = np.stack([decode_photo(data, spec).input_HWC, whole])
    reduced, full = starter.embed_images(pictures)
    assert float(reduced @ full) >= 0.995
