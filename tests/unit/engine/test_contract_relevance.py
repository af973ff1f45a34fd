"""What every engine says of hits that do not show what was asked for."""

from __future__ import annotations

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import Hits, Search

WAIT_S = 60.0


def test_each_hit_says_whether_it_is_believed_to_fit(client: AnyEngine) -> None:
    """The count is that of the relevant hits; None where an engine could not judge them."""
    found = client.ask(Search(text="a red photo"), Hits, timeout_s=WAIT_S)
    assert found.hits
    if found.relevant is None:
        assert all(hit.relevant and hit.probability is None for hit in found.hits)
    else:
        assert found.relevant == sum(hit.relevant for hit in found.hits)
        assert all(0 <= (hit.probability or 0) <= 1 for hit in found.hits)
        likely = [hit.probability or 0 for hit in found.hits if hit.relevant]
        others = [hit.probability or 0 for hit in found.hits if not hit.relevant]
        assert min(likely, default=1) >= max(others, default=0)


def test_what_is_not_believed_can_be_counted_alone(client: AnyEngine) -> None:
    """A window that folds it away gets the believed ones, in the same order, and a number."""
    whole = client.ask(Search(text="a red photo"), Hits, timeout_s=WAIT_S)
    folded = client.ask(Search(text="a red photo", folds=True), Hits, timeout_s=WAIT_S)
    believed = [hit.key for hit in whole.hits if hit.relevant]
    assert [hit.key for hit in folded.hits] == believed
    assert (folded.relevant, folded.complete) == (whole.relevant, whole.complete)
    assert (whole.folded, folded.folded) == (0, len(whole.hits) - len(believed))
    assert len(folded.shapes) == len(believed)


def test_what_is_alike_is_not_judged(client: AnyEngine) -> None:
    """Likeness to a photo has no words to be believed."""
    key = client.ask(Search(text="a red photo"), Hits, timeout_s=WAIT_S).hits[0].key
    found = client.ask(Search(text="", like=(key,)), Hits, timeout_s=WAIT_S)
    assert found.relevant is None
    assert all(hit.relevant and hit.probability is None for hit in found.hits)


def test_a_text_is_judged_beside_pictures_to_be_unlike(client: AnyEngine) -> None:
    """Less like this refines a search, whose end stays honest; more like this is none."""
    text = "a red photo"
    plain = client.ask(Search(text=text), Hits, timeout_s=WAIT_S)
    key = plain.hits[0].key
    less = client.ask(Search(text=text, unlike=(key,)), Hits, timeout_s=WAIT_S)
    assert (less.relevant is None) == (plain.relevant is None)
    known = {hit.key: hit.probability for hit in plain.hits}
    assert {hit.key: hit.probability for hit in less.hits} == {
        other.key: known[other.key] for other in less.hits
    }
    more = client.ask(Search(text=text, like=(key,)), Hits, timeout_s=WAIT_S)
    assert more.relevant is None
