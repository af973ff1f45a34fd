"""Writes what the program says of every sample photo into README.md, right or wrong.

    .venv/bin/python tools/sample_table.py

Runs the commands that a person would type, on a library of its own, and puts photo, caption
and tags between the two marks in README.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "resources" / "samples" / "photos"
README = ROOT / "README.md"
BEGIN, END = "<!-- samples -->\n", "<!-- end of samples -->\n"


def command(name: str, library: str) -> list[dict[str, Any]]:
    """The results of ``cocadesk NAME`` on the sample photos."""
    program = Path(sys.executable).parent / "cocadesk"
    words = [str(program), name, str(PHOTOS), "--library", library, "--json"]
    done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found: list[dict[str, Any]] = json.loads(done.stdout).get("results", [])
    return found


def percent(tag: dict[str, Any]) -> str:
    """A tag and its probability as people read them."""
    return f"{tag['tag']}&nbsp;{100 * tag['score']:.0f}&nbsp;%".replace(" ", "&nbsp;")


def table() -> str:
    """A row for each photo, in Markdown."""
    with tempfile.TemporaryDirectory() as library:
        command("index", library)
        tags = {Path(row["path"]).name: row["tags"] for row in command("tag", library)}
        captions = {Path(row["path"]).name: row["caption"] for row in command("caption", library)}
    lines = ["| photo | caption | tags |\n", "|---|---|---|\n"]
    for name in sorted(captions):
        picture = f'<img src="resources/samples/photos/{name}" width="140" alt="{name}">'
        said = ", ".join(percent(tag) for tag in tags.get(name, [])) or "–"
        lines.append(f"| {picture} | {captions[name]} | {said} |\n")
    return "".join(lines)


def main() -> None:
    """Replaces the part between the marks."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        sys.exit(f"{README} lacks the marks {BEGIN.strip()} and {END.strip()}.")
    README.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
