"""The texts of the program and their translations: all found, all translated, all compiled."""

from __future__ import annotations

import ast
import gettext
import gzip
import os
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import read_mo

from cocadesk import errors
from cocadesk.engine.power import Power
from cocadesk.errors import decimal, grouped, tr, tr_as, tr_count
from cocadesk.resources import LANGUAGES, use_language
from tests.support.architecture import ROOT
from tests.support.shown_texts import unwrapped
from tools import translations

TRANSLATED = tuple(code for code in LANGUAGES if code != "en")
EXCEPTIONS: dict[str, set[str]] = {
    "cocadesk/cli/app.py": {"cocadesk {}"},
    "cocadesk/cli/commands/duplicates.py": {
        "cocadesk duplicates --best a.jpg", "cocadesk duplicates --not-same a.jpg",
    },
    "cocadesk/cli/report.py": {
        "FailureValue | WriteItem", "{} min", "{} min {} s", "{} h {} min",
    },
    "cocadesk/cli/session.py": {"command line"},
    "cocadesk/cli/words.py": {"*"},
    "ui/kit/app_theme.py": {"Inter-Regular.ttf.gz", "Inter-SemiBold.ttf.gz", "Fusion"},
    "ui/kit/icons.py": {"*"},
    "ui/kit/programs.py": {
        "Added Associations", "Default Applications", "Desktop Entry", "Exec", "Hidden",
        "MIME Cache", "Name", "NoDisplay", "Terminal",
    },
    "ui/kit/stylesheet.py": {"*"},
    "ui/library/alike/requests.py": {"{} full"},
    "ui/library/folder_commands.py": {'folder:"{}" -state:missing', "{} state:offline"},
    "ui/library/found_by.py": {"suggested tag", "suggested caption"},
    "ui/library/last_view.py": {"cocadesk last view {}\n"},
    "ui/library/query_chips.py": {"read {}", "words {}"},
    "ui/shell/libraries.py": {"CocaDesk library", "CocaDesk samples"},
    "ui/shell/settings/about.py": {
        "CocaDesk {}, protocol {}", "Python {}, PySide6 {}, Qt {}", "Screen {}, {}", "no screen",
        "The engine has not answered.", "Model {}, {}, on {} {}", "{} × {} at {}",
        "Library schema {}: {} photos, {} videos, {} vectors, {} missing, {} offline, {} failed, "
        "{} without vectors, {} notices",
    },
    "ui/shell/settings/look.py": {"English", "Deutsch"},
}  # fmt: skip
"""Texts that no person reads, or that are the same in every language, by file."""


@cache
def rooms() -> dict[str, list[Path]]:
    """The files of each room."""
    return translations.rooms()


@cache
def template(room: str) -> Catalog:
    """The texts of a room as they stand in its source."""
    return translations.template(rooms()[room])


def translated_rooms() -> list[str]:
    """The rooms that have texts for translating."""
    return [room for room in rooms() if len(template(room))]


@pytest.fixture
def german() -> Iterator[Callable[..., None]]:
    """Lets ``tr`` speak German for one test."""
    use_language("de")
    yield
    errors.speak(gettext.NullTranslations())


WHOLLY_TRANSLATED = [room for room in rooms() if room.startswith("ui") or room in ("cocadesk.cli",)]


@pytest.mark.parametrize("room", WHOLLY_TRANSLATED)
def test_every_text_of_the_edges_is_for_translating(room: str) -> None:
    """One that stands outside of ``tr`` stays English in every language."""
    found = [
        f"{path.relative_to(ROOT)}: {text!r}"
        for path in rooms()[room]
        for text in unwrapped(path)
        if text not in EXCEPTIONS.get(path.relative_to(ROOT).as_posix(), set())
        and "*" not in EXCEPTIONS.get(path.relative_to(ROOT).as_posix(), set())
    ]
    assert found == []


def test_every_call_for_translating_has_its_text_written_out() -> None:
    """``make translations`` finds no text that is put together elsewhere."""
    wrong = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for files in rooms().values()
        for path in files
        for call, texts in translations.calls(path)
        if not all(isinstance(text, ast.Constant) for text in texts) or not texts
    ]
    assert wrong == []


def test_every_value_of_a_text_is_given() -> None:
    """A text with ``{name}`` gets just that value, in English; translations are compared below."""
    wrong = []
    for files in rooms().values():
        for path in files:
            for call, texts in translations.calls(path):
                words = [t.value for t in texts if isinstance(t, ast.Constant)]
                used = set().union(*(placeholders(str(word)) for word in words))
                given = {item.arg for item in call.keywords}
                given |= {"n"} if translations.name_of(call) == "tr_count" else set()
                if given - {"n"} != used - {"n"} and given | used != {"n"} and given:
                    wrong.append(f"{path.relative_to(ROOT)}:{call.lineno}: {used} of {given}")
    assert wrong == []


def placeholders(text: str) -> set[str]:
    """The names in braces of a text; with a format they would not fit every language."""
    found = set()
    for _before, name, form, _turn in string.Formatter().parse(text):
        if name is not None:
            assert name.isidentifier(), f"{text!r}: name its value"
            assert not form, f"{text!r}: write the number with `grouped` or `decimal`"
            found.add(name)
    return found


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("room", translated_rooms())
def test_every_text_has_a_translation_with_the_same_values(room: str, language: str) -> None:
    """An English sentence in a German window, or a sentence without its number, is a fault."""
    catalogue = translations.read(translations.path_of(language, room), language)
    assert translations.lacking(catalogue) == []
    for message in translations.texts(catalogue):
        english = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = set().union(*(placeholders(text) for text in english))
        for text in said:
            left_out = {"n"} if len(said) > 1 else set()  # "a photo" may stand for "1 photo"
            assert wanted - left_out <= placeholders(text) <= wanted, (english, text)


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("room", translated_rooms())
def test_the_catalogues_are_those_of_the_source(room: str, language: str) -> None:
    """After a change of texts: ``make translations``."""
    path = translations.path_of(language, room)
    written = translations.read(path, language)
    assert _ids(written) == _ids(template(room)), "run: make translations"
    with gzip.open(path.with_suffix(".mo.gz")) as file:
        compiled = read_mo(file)
    assert _strings(compiled) == _strings(written), "run: make translations"


def _ids(catalogue: Catalog) -> set[tuple[object, str | None]]:
    return {(_key(message.id), message.context) for message in translations.texts(catalogue)}


def _strings(catalogue: Catalog) -> dict[tuple[object, str | None], object]:
    return {
        (_key(message.id), message.context): _key(message.string)
        for message in translations.texts(catalogue)
    }


def _key(text: object) -> object:
    return tuple(text) if isinstance(text, list | tuple) else text


def test_one_text_has_one_translation() -> None:
    """All rooms' catalogues are one for ``tr``; a word with two meanings has a context."""
    for language in TRANSLATED:
        seen: dict[tuple[object, str | None], object] = {}
        for room in translated_rooms():
            path = translations.path_of(language, room)
            for key, said in _strings(translations.read(path, language)).items():
                assert seen.setdefault(key, said) == said, key


@pytest.mark.usefixtures("german")
def test_the_stage_of_a_job_on_battery_is_german_as_a_whole(tmp_path: Path) -> None:
    """It is shown as it comes: nobody translates it later."""
    for name, value in (("type", "Battery"), ("status", "Discharging"), ("scope", "System")):
        (tmp_path / "BAT0").mkdir(exist_ok=True)
        (tmp_path / "BAT0" / name).write_text(value)
    said = Power(tmp_path).said_of("Fotos werden eingelesen")
    assert said == "Fotos werden eingelesen, im Akkubetrieb halb so schnell"


@pytest.mark.usefixtures("german")
def test_texts_and_numbers_are_german() -> None:
    """With values, plural forms and contexts."""
    assert tr("As the system") == "Wie das System"
    assert tr("No such text, {name}", name="Ada") == "No such text, Ada"
    assert grouped(1_204_000) == "1.204.000"
    assert decimal(3.44) == "3,4"


def test_without_a_language_texts_are_as_written() -> None:
    """English needs no catalogue; braces stand where no value is given."""
    assert tr("{x} of {y}") == "{x} of {y}"
    assert tr("") == ""
    assert tr_as("verb", "Open") == "Open"
    assert tr_count(1, "{n} photo", "{n} photos") == "1 photo"
    assert tr_count(1204, "{n} photo", "{n} photos") == "1,204 photos"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_module_of_the_window_is_imported_in_each_language(language: str) -> None:
    """Texts at the top of modules: no two members of an enum may become one, say."""
    script = (
        "import importlib, pathlib, enum\n"
        "for path in sorted(pathlib.Path('ui').rglob('*.py')):\n"
        "    name = '.'.join(path.with_suffix('').parts).removesuffix('.__init__')\n"
        "    module = importlib.import_module(name)\n"
        "    for kind in vars(module).values():\n"
        "        ours = isinstance(kind, type) and kind.__module__.startswith('ui')\n"
        "        if ours and issubclass(kind, enum.Enum):\n"
        "            assert len(list(kind)) == len(kind.__members__), kind\n"
        "from cocadesk.errors import grouped\n"
        "print(grouped(1000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "COCADESK_LANGUAGE": language},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "1.000"
