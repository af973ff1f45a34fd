"""Titles of jobs: kept in English, told in the person's language; the order alone makes the job."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cocadesk import errors
from cocadesk.annotations.describe import DescribeReport
from cocadesk.annotations.titles import all_media, captions_title
from cocadesk.engine.annotation_jobs import describe_outcome
from cocadesk.engine.core import EngineCore
from cocadesk.engine.job_records import JobSpec
from cocadesk.engine.job_steps import JobStep, Steps
from cocadesk.engine.local import Access
from cocadesk.engine.scheduler import Scheduler
from cocadesk.errors import kept, retold, retold_parts
from cocadesk.library.library import Library
from cocadesk.protocol.messages import (
    JobReply,
    Jobs,
    ListJobs,
    RowsChanged,
    StartCaption,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobAction, JobKind, Scope
from cocadesk.resources import use_language
from tests.support.engines import coloured_photos, local_engine


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Leaves the language as it was."""
    yield
    errors.speak(gettext.NullTranslations())


def _never(_spec: str) -> Steps:
    yield JobStep()
    raise AssertionError("no job runs here")


def scheduler(library: Library) -> Scheduler:
    """The jobs of a library, of which none begins."""
    return Scheduler(
        library.jobs,
        dict.fromkeys(JobKind, _never),
        on_change=lambda _job: None,
        wait_until_quiet=lambda _limit_s: True,
    )


def test_a_job_made_in_german_is_the_same_one_in_english(tmp_path: Path) -> None:
    """The next engine, in another language, finds it by its order and tells it anew."""
    use_language("de")
    with Library.open(tmp_path / "library") as library:
        jobs = scheduler(library)
        title = captions_title(all_media())
        made = jobs.add(JobKind.CAPTION, title, '{"scope": 1}')
        assert made.title == ("Beschreibungen und Schlagwörter vorschlagen: alle Fotos und Videos")
        jobs.control(made.id, JobAction.PAUSE)
        errors.speak(gettext.NullTranslations())
        later = scheduler(library)
        assert later.get(made.id).title == (
            "Suggesting captions and tags for all photos and videos"
        )
        again = later.add(JobKind.CAPTION, captions_title(all_media()), '{"scope": 1}')
        assert again.id == made.id
        assert later.add(JobKind.CAPTION, title, '{"scope": 2}').id != made.id


def test_an_order_of_an_older_program_in_german_words_is_the_same_order() -> None:
    """Titles were kept as they were shown."""
    old = msgspec.json.decode('{"title": "Fotos hinzufügen", "work": "{}"}', type=JobSpec)
    assert old.is_same_order(JobSpec(title="Adding photos", work="{}"))
    assert not old.is_same_order(JobSpec(title="Fotos hinzufügen", work="{1}"))


def test_titles_are_told_in_the_language_of_who_lists_them(tmp_path: Path) -> None:
    """A folder's name stays as it is, also where a text of the program is called so."""
    folder = coloured_photos(tmp_path / "folders")
    use_language("de")
    with local_engine(tmp_path / "library") as engine:
        job = engine.ask(StartIndex(folders=(WirePath.of(folder),)), JobReply).job
        assert job.title == "folders hinzufügen"
    errors.speak(gettext.NullTranslations())
    with local_engine(tmp_path / "library", Access.READ) as engine:
        assert [job.title for job in engine.ask(ListJobs(), Jobs).jobs] == ["Adding folders"]


def test_how_a_job_ended_is_told_in_the_language_of_who_lists_it(tmp_path: Path) -> None:
    """It is kept in English, number by number, and what another program said as it is."""
    ended = describe_outcome(DescribeReport(described=1200, unchanged=3, by_person=1))
    english = "1,200 described, 3 already known, 1 with a caption of your own."
    assert ended.message == english
    use_language("de")
    with Library.open(tmp_path / "library") as library:
        jobs = scheduler(library)
        made = jobs.record(JobKind.CAPTION, captions_title(all_media()), "{}", ended)
        german = "1.200 beschrieben, 3 schon bekannt, 1 mit eigener Beschreibung."
        assert made.message == german
        assert scheduler(library).get(made.id).message == german
        errors.speak(gettext.NullTranslations())
        assert scheduler(library).get(made.id).message == english


@pytest.mark.parametrize(
    ("message", "german"),
    [
        ("Nothing new.", "Nichts Neues."),
        (
            "1,204 photos and 12 videos added, 5 already known. "
            "Read again with the improved model: 1,005.",
            "1.204 Fotos und 12 Videos hinzugefügt, 5 schon bekannt. "
            "Mit dem verbesserten Modell neu eingelesen: 1.005.",
        ),
        ("1 photo and 1 video added.", "1 Foto und 1 Video hinzugefügt."),
        ("Groups: 3 of exact copies, 2 bursts.", "Gruppen: 3 mit exakten Kopien, 2 Serien."),
        (
            "Search answers with the starter now, for 1,200 photos and videos.",
            "Die Suche antwortet jetzt mit dem Starter, für 1.200 Fotos und Videos.",
        ),
        ("Ida, 3 years old. Nobody said this.", "Ida, 3 years old. Nobody said this."),
        ("", ""),
    ],
)
def test_parts_of_a_message_are_told_one_by_one(message: str, german: str) -> None:
    """Whatever numbers there are; words of nobody's stay."""
    use_language("de")
    assert retold_parts(message) == german


def test_jobs_that_suggest_say_so_to_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists need not be made anew at each photo: once in the end is enough."""
    told: list[object] = []
    monkeypatch.setattr(EngineCore, "_tell", lambda _core, event: told.append(event))
    with local_engine(tmp_path / "library") as engine:
        folder = WirePath.of(coloured_photos(tmp_path / "folders"))
        index = engine.ask(StartIndex(folders=(folder,)), JobReply).job
        engine.ask(WatchJob(job_id=index.id), JobReply)
        told.clear()
        job = engine.ask(StartCaption(scope=Scope()), JobReply).job
        assert job.title.startswith("Suggesting captions and tags for ")
        engine.ask(WatchJob(job_id=job.id), JobReply)
    rows = [event for event in told if isinstance(event, RowsChanged)]
    assert len(rows) > 1
    assert all(event.only_suggestions and event.keys for event in rows[:-1])
    assert rows[-1] == RowsChanged()


def test_every_value_of_a_title_is_told_and_numbers_are_grouped() -> None:
    """Texts within texts, but no words of a person's."""
    use_language("de")
    model = kept("the model of “{run}”", run="folders")
    assert "„folders“" in retold(kept("Switching to {model}", model=model))
    things = kept("{number} photos", number="1,204")
    assert retold(captions_title(things)) == (
        "Beschreibungen und Schlagwörter vorschlagen: 1.204 Fotos"
    )
    assert retold("Summer photos") == "Summer photos"
    added = retold(kept("Adding {names} and {number} more", names="Sea, folders", number=4))
    assert added == "Sea, folders und 4 weitere hinzufügen"
