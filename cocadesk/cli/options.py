"""The options that every command takes, and where things lie by default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

LIBRARY_VARIABLE = "COCADESK_LIBRARY"
CACHE_VARIABLE = "COCADESK_CACHE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person chose: library folder, model source, one JSON document or text.

    ``model`` None means the one that the library uses (the starter where none does).
    """

    library: Path
    model: str | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Options as given, before or after the command's name; None where not given."""

    library: Path | None = None
    model: str | None = None
    as_json: bool = False

    def over(self, earlier: Choices | None) -> Choices:
        """These choices, filled up from those before the command's name."""
        if earlier is None:
            return self
        return Choices(
            library=self.library or earlier.library,
            model=self.model or earlier.model,
            as_json=self.as_json or earlier.as_json,
        )

    def resolved(self) -> Options:
        """The choices with defaults; the library's folder is absolute."""
        folder = self.library or default_library()
        return Options(
            library=Path(os.path.abspath(folder)),  # noqa: PTH100 - keeps links as given
            model=self.model,
            as_json=self.as_json,
        )


def default_library() -> Path:
    """The person's own library, or where ``COCADESK_LIBRARY`` points."""
    import platformdirs

    named = os.environ.get(LIBRARY_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("cocadesk") / "library"


def cache_folder() -> Path:
    """The person's cache folder, or where ``COCADESK_CACHE`` points."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("cocadesk")


def log_file() -> Path:
    """Where tracebacks of bugs are kept; ``COCADESK_CACHE`` moves it along."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE)
    folder = Path(named) / "log" if named else platformdirs.user_log_path("cocadesk")
    return folder / "cocadesk.log"
