"""Models to choose from, fetched and removed: what every engine must do, fake and real."""

from __future__ import annotations

import json

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.engine.model_speed import KEPT
from cocadesk.errors import UserError
from cocadesk.locations import STARTER, cache_folder
from cocadesk.model.speed import measure_key
from cocadesk.protocol.messages import (
    FetchModel,
    Hits,
    JobReply,
    Jobs,
    ListJobs,
    ListModels,
    MeasureModel,
    ModelRemoved,
    Models,
    RemoveModel,
    Search,
    UseModel,
)
from cocadesk.protocol.values import ModelOffer

WAIT_S = 60.0
SPOILED = "open_clip:coca_ViT-B-32/mscoco_finetuned_laion2b_s13b_b90k"


def _offers(client: AnyEngine) -> dict[str, ModelOffer]:
    offers = client.ask(ListModels(), Models, timeout_s=WAIT_S).offers
    assert len({offer.source for offer in offers}) == len(offers)
    return {offer.source: offer for offer in offers}


def test_the_offers_are_plain_choices_the_smallest_first(client: AnyEngine) -> None:
    """Each says what it is good for and how well it finds, on sets that it names."""
    offers = list(_offers(client).values())
    assert offers[0].source == STARTER
    assert offers[0].is_here
    searching = [offer for offer in offers if offer.is_for_search]
    assert [offer.size_bytes for offer in searching] == sorted(
        offer.size_bytes for offer in searching
    )
    for offer in offers:
        assert all((offer.name, offer.title, offer.good_for))
        assert offer.recall
        for figure in offer.recall:
            assert figure.data
            assert 0 < figure.at_1 < figure.at_5 < 1


def test_figures_of_the_starter_stand_beside_none_of_another_set(client: AnyEngine) -> None:
    """What was measured on other photos is never under one name."""
    offers = _offers(client)
    ours = {figure.data for figure in offers[STARTER].recall}
    theirs = {
        figure.data for offer in offers.values() for figure in offer.recall if not figure.is_ours
    }
    assert ours
    assert theirs
    assert not ours & theirs


def test_a_model_whose_search_is_spoiled_is_offered_for_captions_and_refused_for_search(
    client: AnyEngine,
) -> None:
    """The reason is told, and no job is left behind."""
    offer = _offers(client)[SPOILED]
    assert offer.is_for_captions
    assert not offer.is_for_search
    before = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    with pytest.raises(UserError, match=r"(?i)search") as refused:
        client.ask(UseModel(source=SPOILED), JobReply, timeout_s=WAIT_S)
    assert "spoiled" in refused.value.why
    assert refused.value.what_to_do
    assert client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs == before


@pytest.mark.parametrize("source", ["starter", "run:job-1", "hf-hub:../etc", "/somewhere", ""])
def test_what_is_no_model_of_the_hub_is_not_fetched(client: AnyEngine, source: str) -> None:
    """A sentence instead of a job."""
    with pytest.raises(UserError):
        client.ask(FetchModel(source=source), JobReply, timeout_s=WAIT_S)


@pytest.mark.parametrize("source", ["starter", "run:job-1", "/somewhere", "hf-hub:org"])
def test_what_was_never_fetched_is_not_removed(client: AnyEngine, source: str) -> None:
    """Neither the starter nor anything in other places."""
    with pytest.raises(UserError):
        client.ask(RemoveModel(source=source), ModelRemoved, timeout_s=WAIT_S)


def test_the_model_in_use_is_not_removable(client: AnyEngine) -> None:
    """The list says so before anyone asks."""
    client.ask(Search(text="anything"), Hits, timeout_s=WAIT_S)
    models = client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    used = next(model for model in models if model.is_used)
    assert not used.is_removable
    with pytest.raises(UserError):
        client.ask(RemoveModel(source=used.source), ModelRemoved, timeout_s=WAIT_S)


def test_a_measured_model_has_a_speed_and_a_time_for_the_library(client: AnyEngine) -> None:
    """The number that was kept on this machine; what answers has nothing left to read."""
    kept = cache_folder() / KEPT
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({measure_key(STARTER): 48.0}), "utf-8")
    client.ask(Search(text="anything"), Hits, timeout_s=WAIT_S)
    starter = _offers(client)[STARTER]
    assert starter.photos_per_second == 48.0
    assert starter.seconds_for_library is not None
    assert starter.seconds_for_library >= 0
    kept.unlink()


def test_a_model_that_is_nowhere_can_not_be_measured(client: AnyEngine) -> None:
    """Whoever asks hears a sentence."""
    with pytest.raises(UserError, match="measured"):
        client.ask(MeasureModel(source="/no/model/here"), Models, timeout_s=150)


def test_offers_say_what_room_there_is_and_where_they_come_from(client: AnyEngine) -> None:
    """Before anything goes online; of what is here no place is named."""
    for offer in _offers(client).values():
        assert offer.free_bytes is None or offer.free_bytes > 0
        assert bool(offer.fetched_from) is not offer.is_here
        assert 0 <= offer.coverage <= 1
        assert not offer.problem
