"""The main job with the shipped model on the sample photos, as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cocadesk.resources import resource_path
from tests.support.program import cocadesk, invoked


@pytest.fixture(scope="session", autouse=True)
def starter() -> Path:
    """The starter's weights; a checkout without them is broken."""
    return resource_path("starter", "model.safetensors")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, starter: Path, samples: Path) -> Path:
    """A library of all sample photos."""
    folder = tmp_path_factory.mktemp("starter") / "library"
    outcome = cocadesk("index", samples, "--library", folder, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.document["indexed"] == len(list(samples.iterdir()))
    return folder


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("a cow in a field", "farm-cow"),
        ("giraffes", "giraffes"),
        ("a sandy beach by the sea", "beach"),
        ("a kitchen", "kitchen"),
    ],
)
def test_a_query_finds_its_photo_among_the_first_three(
    library: Path, query: str, name: str
) -> None:
    """Plain things that the small model surely knows."""
    outcome = invoked("search", query, "--limit", "3", "--library", library, "--json")
    assert outcome.code == 0
    assert name in [Path(result["path"]).stem for result in outcome.document["results"]]


def test_most_photos_get_a_few_tags_and_the_plain_ones_the_right_ones(
    library: Path, samples: Path
) -> None:
    """Members need no decoding: their stored vectors are enough."""
    outcome = invoked("tag", samples, "--library", library, "--json")
    assert outcome.code == 0
    tags = {
        Path(item["path"]).stem: [tag["tag"] for tag in item["tags"]]
        for item in outcome.document["results"]
    }
    assert len(tags) == len(list(samples.iterdir()))
    assert sum(map(bool, tags.values())) > 0.7 * len(tags)
    assert all(len(words) <= 8 for words in tags.values())
    assert "giraffe" in tags["giraffes"]
    assert "cow" in tags["farm-cow"]


def test_a_photo_is_described_in_words(samples: Path, tmp_path: Path) -> None:
    """Outside any library; the sentence names what is there."""
    outcome = invoked("caption", samples / "giraffes.jpg", "--library", tmp_path / "none", "--json")
    (result,) = outcome.document["results"]
    assert "giraffe" in result["caption"].lower()
    assert not (tmp_path / "none").exists()


def test_info_names_the_starter(library: Path) -> None:
    """Its id is that of the shipped config and weights."""
    document = invoked("info", "--library", library, "--json").document
    assert document["model"].startswith("starter-")
    assert document["views"] >= document["photos"] > 0
    assert json.loads(resource_path("starter", "config.json").read_text())
