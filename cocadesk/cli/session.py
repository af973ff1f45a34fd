"""Where a command's work is done: here, or in the engine that has the library open.

This module alone knows both ways. An engine that serves the library is its only writer, so
``index`` goes through it; ``search`` and ``info`` use it because its model is warm;
``tag`` and ``caption`` let it describe the library's own photos, so that the words
are kept, and describe other files themselves.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cocadesk.cli.options import Options
from cocadesk.cli.report import shown
from cocadesk.cli.threads import free_other_threads
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.library import Library
    from cocadesk.model.backend import Backend
    from cocadesk.protocol.client import EngineClient

CLIENT_NAME = "command line"


def running_engine(options: Options) -> EngineClient | None:
    """A connection to the engine of this library, where one runs and its model is wanted."""
    if options.model is not None:
        from cocadesk.locations import STARTER
        from cocadesk.model.in_use import durable_source

        if durable_source(options.model) != (librarys_source(options) or STARTER):
            return None
    from cocadesk.protocol.launch import running_engine as find

    return find(options.library, name=CLIENT_NAME)


def engine(options: Options) -> EngineClient:
    """The engine of this library, started where none runs; it makes a missing library.

    Raises:
        UserError: it cannot start, or it serves another model than the one asked for.
    """
    from cocadesk.protocol.launch import connect_or_start
    from cocadesk.protocol.messages import GetInfo, Info

    chosen = () if options.model is None else ("--model", options.model)
    client = connect_or_start(options.library, name=CLIENT_NAME, extra=chosen)
    if options.model is not None:
        from cocadesk.model.in_use import durable_source

        serving = client.ask(GetInfo(), Info).model.source
        if durable_source(serving) != durable_source(options.model):
            client.close()
            raise UserError(
                f"This library is open with another model ({serving}).",
                "One engine serves a library, with one model at a time.",
                f"Leave --model out, or switch first: cocadesk model use {options.model}.",
            )
    return client


def open_model(options: Options) -> Backend:
    """The door of the chosen model, else of the library's own, in this process.

    Raises:
        UserError: it cannot be opened.
    """
    free_other_threads()
    from cocadesk.model.in_use import open_source

    runs = options.library / "runs"
    is_chosen_here = options.model is not None
    return open_source(chosen_source(options), runs, is_chosen_here=is_chosen_here)


def chosen_source(options: Options) -> str:
    """Where the model of a command comes from."""
    from cocadesk.locations import STARTER

    return options.model or librarys_source(options) or STARTER


def librarys_source(options: Options) -> str | None:
    """Where the model that the library uses comes from; None where it says nothing."""
    from cocadesk.library.manifest import read_manifest

    manifest = read_manifest(options.library)
    return manifest.model_source if manifest else None


def remember_source(library: Library, backend: Backend, options: Options) -> None:
    """A new library uses from now on the model that it is first indexed with."""
    if library.model is None:
        from cocadesk.locations import STARTER
        from cocadesk.model.in_use import durable_source

        info = backend.info()
        source = durable_source(options.model or STARTER)
        library.set_model(info.image_id, model_id=info.model_id, source=source)


def writing_library(options: Options) -> Library:
    """The library, made where missing, with its lock held by us."""
    from cocadesk.library import Library

    return Library.open(options.library)


def reading_library(options: Options) -> Library:
    """The library as it stands, beside whoever writes it."""
    from cocadesk.library import Library

    return Library.open(options.library, create=False, writer=False)


def check_library(options: Options) -> None:
    """Says early, before a model is opened, that there is no library.

    Raises:
        UserError: there is none.
    """
    from cocadesk.library.manifest import read_manifest

    if read_manifest(options.library) is None:
        raise UserError(
            f"There is no library in {shown(os.fsencode(options.library))}.",
            "",
            "Add a folder of photos first: cocadesk index FOLDER.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsPlace:
    """Where words may be kept: a library of ours, or one that an engine writes.

    ``library`` is None where there is none. ``reason`` says who else writes it; then
    ``engine`` is that writer, if it is an engine that we may ask.
    """

    library: Library | None = None
    engine: EngineClient | None = None
    reason: str = ""


@contextlib.contextmanager
def place_for_words(options: Options) -> Iterator[WordsPlace]:
    """The library where there is one; words are for any photo, so it is not needed.

    Where another process writes it, it is read, and that process's engine is found.
    """
    from cocadesk.library import Library

    if not (options.library / "library.json").exists():
        yield WordsPlace()
        return
    with contextlib.ExitStack() as opened:
        try:
            place = WordsPlace(library=Library.open(options.library, create=False))
        except UserError as error:
            engine = running_engine(options)
            if engine is not None:
                opened.enter_context(engine)
            library = reading_library(options)
            place = WordsPlace(library=library, engine=engine, reason=error.what)
        if place.library is not None:
            opened.enter_context(place.library)
        yield place
