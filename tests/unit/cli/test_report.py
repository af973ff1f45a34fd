"""The output of commands: documents, lines, failures."""

from __future__ import annotations

import base64
import json

import pytest

from cocadesk.cli.report import Report, duration, failed_fields, measure, path_fields, shown
from cocadesk.errors import UserError
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import FailureValue

ODD = b"/photos/caf\xe9.jpg"


def test_a_path_that_is_not_utf8_keeps_its_bytes_in_the_document() -> None:
    """``path`` is for people, ``path_b64`` for programs, and only where it is needed."""
    fields = path_fields(WirePath.of(ODD))
    assert base64.b64decode(fields["path_b64"]) == ODD
    assert fields["path"].startswith("/photos/caf")
    json.dumps(fields).encode("ascii")
    assert path_fields(WirePath.of("/photos/café.jpg")) == {"path": "/photos/café.jpg"}
    assert "\udce9" not in shown(ODD)


def test_a_document_is_one_line_of_truth_in_utf8(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """With ``--json`` stdout holds the document alone; lines for people are left out."""
    report = Report(as_json=True)
    report.line("not this")
    report.document({"caption": "ein Mädchen", "failed": failed_fields([])})
    out, err = capfdbinary.readouterr()
    assert json.loads(out) == {"caption": "ein Mädchen", "failed": []}
    assert err == b""
    with pytest.raises(RuntimeError, match="one document"):
        report.document({})


def test_an_error_is_sentences_on_stderr_and_with_json_a_document_too(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What, why and what to do, each on its own line."""
    Report(as_json=True).error(UserError("It broke.", "", "Mend it."))
    out, err = capfd.readouterr()
    assert err.splitlines() == ["It broke.", "Mend it."]
    assert json.loads(out)["error"] == {"what": "It broke.", "why": "", "what_to_do": "Mend it."}


def test_an_error_after_the_document_does_not_add_a_second_one(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Stdout always holds exactly one document."""
    report = Report(as_json=True)
    report.document({"results": []})
    report.error(UserError("Late."))
    assert json.loads(capfd.readouterr().out) == {"results": []}


def test_many_failures_are_named_up_to_a_limit(capfd: pytest.CaptureFixture[str]) -> None:
    """Twenty lines and how many more there are."""
    Report(as_json=False).failures(
        [FailureValue(path=WirePath(f"/p/{i}.jpg"), reason="It is empty.") for i in range(25)]
    )
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "/p/0.jpg: It is empty."
    assert lines[-1] == "... and 5 more."
    assert len(lines) == 21


def test_a_passing_failure_is_told_apart(capfd: pytest.CaptureFixture[str]) -> None:
    """The person need do nothing about it."""
    path = WirePath("/p/a.jpg")
    Report(as_json=False).failures(
        [
            FailureValue(path=path, reason="The disk did not answer.", is_passing=True),
            FailureValue(path=path, reason="It is empty."),
        ]
    )
    assert capfd.readouterr().err.splitlines() == [
        "/p/a.jpg: The disk did not answer. It will be tried again.",
        "/p/a.jpg: It is empty.",
    ]


def test_a_name_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """Controls, line ends and letters that turn the direction round are spelled out."""
    report = Report(as_json=False)
    report.line("a\x1b[2Jb\u009b\tc")
    report.line("one\ntwo\u2028three")
    report.note("cod\u202egpj.exe \u2066x\u2069 \udce9")
    out, err = capfd.readouterr()
    assert out.splitlines() == [r"a\x1b[2Jb\x9b" + "\tc", r"one\ntwo\u2028three"]
    assert err == r"cod\u202egpj.exe \u2066x\u2069 \udce9" + "\n"


def test_a_failed_file_is_one_line_whatever_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    """Else a file could claim that another one is broken, or that all is well."""
    path = WirePath.of(b"/p/a\n0 failed\n\xe2\x80\xaegpj.exe\xed\xa0\x80.jpg")
    Report(as_json=False).failures([FailureValue(path=path, reason="It is empty.")])
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(r"/p/a\n0 failed\n\u202egpj.exe")
    assert line.isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.2, "0 s"),
        (59.4, "59 s"),
        (61, "1 min 1 s"),
        (1141, "19 min"),
        (7260, "2 h 1 min"),
    ],
)
def test_time_left_is_told_in_two_units(seconds: float | None, text: str) -> None:
    """Seconds, minutes or hours, whatever is readable."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t2i_r10", "text to photo R@10"),
        ("i2t_r1", "photo to text R@1"),
        ("bleu4", "BLEU-4"),
        ("top5", "top5"),
    ],
)
def test_measures_have_the_names_of_papers(name: str, text: str) -> None:
    """In tables; documents keep the short ones."""
    assert measure(name) == text
