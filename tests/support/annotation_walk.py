"""A random walk of a person and a machine over one library, with engines killed on the way.

Everything is done to the program and to ``annotation_model``; after each step both
must agree on every human annotation and every ``.txt``, and no text may stand under the
wrong hand. ``Walk`` works on the real store in this process; in an ``engine life``
it goes through a real engine, which ends by SIGKILL in the middle of something.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.albums import AlbumEditor
from cocadesk.annotations.describe import WantedPicture, caption_steps, tag_steps
from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress
from cocadesk.annotations.sidecar_job import write_steps
from cocadesk.annotations.sidecars import FileState
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import load_vocabulary
from cocadesk.library.edits import FILE_FIELD
from cocadesk.library.library import Library
from cocadesk.library.marks import Flag
from cocadesk.library.rows import MediaState, new_key
from cocadesk.media.types import DecodedPhoto, DecodeRequest
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import (
    AnnotationsReply,
    JobReply,
    Jobs,
    ListJobs,
    RedoAnnotations,
    RequestBody,
    SetAnnotations,
    SetVocabulary,
    StartCaption,
    StartIndex,
    StartWrite,
    UndoAnnotations,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobState, Scope
from cocadesk.search.matching import keys_in_scope
from cocadesk.texts.reading import usual_text_of
from tests.support.annotation_model import Command, Model, Said
from tests.support.engines import FAKE_MODEL
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import InProcessDecoder, run_index, write_photo

TAGS = ("dog", "red barn", "Mädchen", "a", "zebra crossing")
WAIT_S = 60.0
_HUMAN = "human"


def decode_here(wanted: Sequence[WantedPicture]) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
    """Decodes for captions in this process."""
    requests = [DecodeRequest(token=i, path=item.path) for i, item in enumerate(wanted)]
    for answer in InProcessDecoder().decode(requests):
        if isinstance(answer, DecodedPhoto):
            yield wanted[answer.token].key, answer.input_HWC
        else:
            yield wanted[answer.token].key, "unreadable"


def drain(steps: Iterator[AnnotationProgress]) -> object:
    """Runs a job to its end and gives its report."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


class Walk:
    """One walk; ``steps`` and ``kills`` count what has happened, ``done`` by kind."""

    def __init__(self, base: Path, seed: int, photos: int = 8) -> None:
        self._chance = random.Random(seed)
        self._folder = base / "library"
        self._photos = base / "photos"
        self._model = Model()
        self._fresh = 1000
        self._said = 0
        self._touched: set[bytes] = set()
        self._unfinished: tuple[Command, list[str], bool] | None = None
        self._backend = FakeBackend()
        self._tagger = ZeroShotTagger(self._backend, load_vocabulary())
        self.steps = 0
        self.kills = 0
        self.done: Counter[str] = Counter()
        self._bag: list[Callable[[], None]] = []
        for number in range(photos):
            write_photo(self._photos / f"photo {number}.jpg", number)
        self._open()
        run_index(self._library, [self._photos])
        self._keys = keys_in_scope(self._library, (), ())

    def close(self) -> None:
        """Gives the library back."""
        self._library.close()

    def _open(self) -> None:
        self._library = Library.open(self._folder)
        self._annotations = HumanAnnotations(self._library)
        self._albums = AlbumEditor(self._library, self._annotations)

    # Steps in this process ------------------------------------------------------------

    def walk(self, steps: int) -> None:
        """That many random steps in this process, all checked."""
        for _ in range(steps):
            if not self._bag:  # drawn without putting back: a short walk has each kind too
                self._bag = self._choices()
                self._chance.shuffle(self._bag)
            step = self._bag.pop()
            step()
            self._count(step)
            self.check()

    def _count(self, step: Callable[..., object]) -> None:
        self.steps += 1
        self.done[step.__name__.strip("_")] += 1

    def _choices(self) -> list[Callable[[], None]]:
        often = [self._set, self._set, self._set, self._undo, self._undo, self._redo, self._write]
        return [
            *often,
            self._list,
            self._list,
            self._list,
            self._write,
            self._caption,
            self._tag,
            self._index,
            self._move,
            self._edit_picture,
            self._touch,
            self._note,
            self._note,
            self._reopen,
        ]

    def _set(self) -> None:
        self._annotations.set(*self._edit())

    def _edit(self) -> tuple[list[str], AnnotationEdit]:
        """An edit of a few media, told the model too."""
        keys = self._some_keys()
        chance = self._chance.random()
        caption, add, remove = None, (), ()
        if chance < 0.5:
            self._said += 1
            caption = f"{_HUMAN} {self._said}" if chance < 0.42 else ""
        if chance > 0.4:
            add = tuple(self._chance.sample(TAGS, self._chance.randint(0, 2)))
            rest = [tag for tag in TAGS if tag not in add]
            remove = tuple(self._chance.sample(rest, self._chance.randint(0, 2)))
        rating = self._chance.choice([None, None, 0, 3, 5])
        flag = self._chance.choice([None, None, *Flag])
        favourite = self._chance.choice([None, None, True, False])
        said = {"rating": rating, "flag": flag, "favourite": favourite}
        self._model.set(keys, caption, add, remove, **said)
        return keys, AnnotationEdit(caption=caption, add_tags=add, remove_tags=remove, **said)

    def _list(self) -> None:
        """An album is made, filled, emptied, put in another order, renamed or deleted."""
        keys, albums = self._some_keys(), self._model.albums
        name = self._chance.choice(sorted(albums)) if albums else ""
        had = albums.get(name, ())
        others = {other: own for other, own in albums.items() if other != name}
        step = self._chance.choice(["new", "add", "remove", "move", "move", "rename", "delete"])
        self._fresh += 1
        if step == "new" or not albums:
            self._albums.new(f"album/{self._fresh}", keys)
            self._model.set_albums({**albums, f"album/{self._fresh}": tuple(keys)})
        elif step == "add":
            self._albums.add(name, keys)
            self._model.set_albums({**albums, name: tuple(dict.fromkeys((*had, *keys)))})
        elif step == "remove":
            self._albums.remove(name, keys)
            self._model.set_albums({**albums, name: tuple(key for key in had if key not in keys)})
        elif step == "move":
            before = self._chance.choice([None, *had])
            self._albums.move(name, keys, before)
            self._model.move(name, keys, before)
        elif step == "rename":
            self._albums.rename(name, f"Album {self._fresh}")
            self._model.set_albums({**others, f"Album {self._fresh}": had})
        else:
            self._albums.delete(name)
            self._model.set_albums(others)

    def _undo(self) -> None:
        self._annotations.undo()
        self._model.undo()

    def _redo(self) -> None:
        self._annotations.redo()
        self._model.redo()

    def _write(self) -> None:
        keys, overwrite = self._some_keys(), self._chance.random() < 0.2
        self._finish_write(Command(), keys, overwrite)
        steps = write_steps(
            self._library, self._annotations, keys, batch=new_key(), overwrite=overwrite
        )
        drain(steps)

    def _finish_write(self, begun: Command, keys: list[str], overwrite: bool) -> None:
        """A write (or the rest of one) in the model, from the captions as they are now."""
        captions: dict[bytes, tuple[str, str]] = {}
        for row in self._library.media.rows(keys):
            if row.state is MediaState.PRESENT and os.path.lexists(row.path):
                said = self._model.said.get(row.key, Said()).caption
                text = said if said is not None else row.machine_caption
                if text:
                    captions[usual_text_of(row.path)] = (row.key, text)
        command = self._model.write(captions, overwrite=overwrite)
        if begun.files:
            for path, change in command.files.items():
                earlier = begun.files.get(path, change)
                begun.files[path] = type(change)(
                    change.key, earlier.before, earlier.was_ours, change.after
                )
        elif command.files:
            self._model.push(command)

    def _caption(self) -> None:
        again = self._chance.random() < 0.3
        keys = self._some_keys()
        drain(
            caption_steps(
                self._library, self._backend, lambda: self._tagger, decode_here, keys, again=again
            )
        )

    def _tag(self) -> None:
        drain(tag_steps(self._library, self._backend.info().image_id, self._tagger, self._keys))

    def _index(self) -> None:
        run_index(self._library, [self._photos])
        self._touched.clear()

    def _reopen(self) -> None:
        self._library.close()
        self._open()

    def _some_keys(self) -> list[str]:
        if self._chance.random() < 0.2:
            return list(self._keys)
        return self._chance.sample(self._keys, self._chance.randint(1, 3))

    # What happens to the files ----------------------------------------------------------

    def _photo(self) -> Path | None:
        """A photo that nothing has happened to since the last index."""
        names = [os.fsencode(path) for path in sorted(self._photos.rglob("*.jpg"))]
        calm = [name for name in names if name not in self._touched]
        return Path(os.fsdecode(self._chance.choice(calm))) if calm else None

    def _move(self) -> None:
        """Renamed or moved, sometimes together with its caption; known at the next index."""
        photo = self._photo()
        if photo is None:
            return
        self._fresh += 1
        folder = self._photos / self._chance.choice(["", "sub", "other"])
        folder.mkdir(exist_ok=True)
        new = folder / f"moved {self._fresh}.jpg"
        photo.rename(new)
        self._touched.add(os.fsencode(new))
        text = photo.with_suffix(".txt")
        if text.exists() and self._chance.random() < 0.5:
            text.rename(new.with_suffix(".txt"))
            data = self._model.files.pop(os.fsencode(text))
            self._model.files[os.fsencode(new.with_suffix(".txt"))] = data

    def _edit_picture(self) -> None:
        photo = self._photo()
        if photo is not None:
            self._fresh += 1
            write_photo(photo, self._fresh)
            self._touched.add(os.fsencode(photo))

    def _touch(self) -> None:
        photo = self._photo()
        if photo is not None:
            self._fresh += 1
            os.utime(photo, ns=(self._fresh * 10**9, self._fresh * 10**9))
            self._touched.add(os.fsencode(photo))

    def _note(self) -> None:
        """A person writes, changes or deletes a ``.txt`` without us, often one that we wrote."""
        photo = self._photo()
        if photo is None:
            return
        self._said += 1
        path = photo.with_suffix(".txt")
        ours = self._model.undo_stack[-1].files if self._model.undo_stack else {}
        if ours and self._chance.random() < 0.6:
            path = Path(os.fsdecode(self._chance.choice(sorted(ours))))
            path.parent.mkdir(exist_ok=True)
        if path.exists() and self._chance.random() < 0.3:
            path.unlink()
            self._model.files.pop(os.fsencode(path))
            return
        data = f"note {self._said}".encode()
        path.write_bytes(data)
        self._model.files[os.fsencode(path)] = data

    # What must hold -------------------------------------------------------------------

    def check(self) -> None:
        """The program and the model agree on every caption, tag and file."""
        rows = {row.key: row for row in self._library.media.rows(self._keys)}
        assert len(rows) == len(self._keys)
        for key, row in rows.items():
            said = self._model.said.get(key, Said())
            found = Said(
                row.human_caption,
                row.human_tags_added,
                row.human_tags_removed,
                row.human_rating,
                row.human_flag,
                row.human_favourite,
            )
            assert found == said, f"{row.path!r}: {found} instead of {said}"
            assert _HUMAN not in (row.machine_caption or ""), "a machine took a person's caption"
        albums = self._library.albums
        listed = {name: tuple(albums.places(album)) for album, name in albums.names().items()}
        assert listed == self._model.albums
        assert self._files() == self._model.files
        titles = self._annotations.titles()
        assert bool(titles.undo) == bool(self._model.undo_stack)
        assert bool(titles.redo) == bool(self._model.redo_stack)

    def check_hands(self) -> None:
        """Each entry of the log stands under the right hand."""
        for edit in self._library.edits.all():
            if edit.field != FILE_FIELD:
                assert edit.who == "person"
            elif edit.old != edit.new:
                state = json.loads(edit.new)
                text = FileState.from_json(edit.new).text
                assert state["by"] != "person" or text.startswith(_HUMAN)
                assert state["by"] in (None, "person", FakeBackend().info().model_id)
                assert edit.who == (state["by"] or "person")
                assert not (text.startswith(_HUMAN) and state["by"] not in (None, "person"))

    def _files(self) -> dict[bytes, bytes]:
        found = (path for path in self._photos.rglob("*") if path.is_file())
        return {os.fsencode(p): p.read_bytes() for p in found if p.suffix != ".jpg"}

    # Through a real engine, until it is killed --------------------------------------------

    def engine_life(self, steps: int) -> None:
        """Some steps through a real engine, which is then killed in the middle of one."""
        self._library.close()
        with connect_or_start(self._folder, extra=FAKE_MODEL) as client:
            self._finish_jobs(client)
            for _ in range(steps):
                step = self._chance.choice(
                    [self._ask_set, self._ask_set, self._ask_undo, self._ask_redo, self._ask_write]
                )
                step(client)
                self._count(step)
            self._library = Library.open(self._folder, create=False, writer=False)
            before = self._model.copy()
            body, settle = self._chance.choice(self._interrupted())()
            self._library.close()
            self._kill_during(client, body)
        self._open()
        settle(before)
        self.steps += 1
        self.kills += 1
        self.check()

    def _ask_set(self, client: EngineClient) -> None:
        client.ask(self._set_body(), AnnotationsReply, timeout_s=WAIT_S)

    def _set_body(self) -> SetAnnotations:
        keys, edit = self._edit()
        return SetAnnotations(
            keys=tuple(keys),
            caption=edit.caption,
            add_tags=edit.add_tags,
            remove_tags=edit.remove_tags,
            rating=edit.rating,
            flag=None if edit.flag is None else edit.flag.value,
            favourite=edit.favourite,
        )

    def _ask_undo(self, client: EngineClient) -> None:
        client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
        self._model.undo()

    def _ask_redo(self, client: EngineClient) -> None:
        client.ask(RedoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
        self._model.redo()

    def _ask_write(self, client: EngineClient) -> None:
        keys, overwrite = self._some_keys(), self._chance.random() < 0.2
        with Library.open(self._folder, create=False, writer=False) as self._library:
            self._finish_write(Command(), keys, overwrite)
        body = StartWrite(scope=Scope(keys=tuple(keys)), overwrite=overwrite)
        job = client.ask(body, JobReply, timeout_s=WAIT_S).job
        client.ask(WatchJob(job_id=job.id), JobReply, timeout_s=WAIT_S)

    def _kill_during(self, client: EngineClient, body: RequestBody) -> None:
        """Sends a request and kills the engine a moment later, whatever it is doing then."""
        pid = client.welcome.engine_pid
        client.send(body)
        moment_s = self._chance.choice([0.0, self._chance.uniform(0, 0.03), 0.2])
        try:
            client.receive(max(moment_s, 1e-4))
            client.receive(max(moment_s, 1e-4))
        except TimeoutError:
            pass
        os.kill(pid, signal.SIGKILL)
        # Whoever started it may have seen its end first.
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)

    def _finish_jobs(self, client: EngineClient) -> None:
        """Waits for what the last engine has left, and does the same to the model."""
        for job in client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs:
            if not job.state.is_final:
                client.ask(WatchJob(job_id=job.id), JobReply, timeout_s=WAIT_S)
        self._touched.clear()
        if self._unfinished is None:
            return
        begun, keys, overwrite = self._unfinished
        self._unfinished = None
        was_undone = bool(begun.files) and begun not in self._model.undo_stack
        if not was_undone:
            with Library.open(self._folder, create=False, writer=False) as self._library:
                self._finish_write(begun, keys, overwrite)

    def _interrupted(self) -> list[Callable[[], tuple[RequestBody, Callable[[Model], None]]]]:
        """Requests that may be in hand when the engine dies, and the way to settle after."""
        return [self._kill_set, self._kill_undo, self._kill_redo, self._kill_write] * 2 + [
            self._kill_caption,
            self._kill_tag,
            self._kill_index,
        ]

    def _kill_set(self) -> tuple[RequestBody, Callable[[Model], None]]:
        return self._set_body(), self._settle_whole

    def _kill_undo(self) -> tuple[RequestBody, Callable[[Model], None]]:
        self._model.undo()
        return UndoAnnotations(), self._settle_whole

    def _kill_redo(self) -> tuple[RequestBody, Callable[[Model], None]]:
        self._model.redo()
        return RedoAnnotations(), self._settle_whole

    def _settle_whole(self, before: Model) -> None:
        """The command has happened whole, or not at all: the stacks say which."""
        state = self._annotations.state()
        after = (len(self._model.undo_stack), len(self._model.redo_stack))
        if (len(state.undo), len(state.redo)) != after:
            self._model = before

    def _kill_write(self) -> tuple[RequestBody, Callable[[Model], None]]:
        keys, overwrite = list(self._keys), self._chance.random() < 0.2

        def settle(before: Model) -> None:
            """Some files are written, perhaps none or all; the next engine goes on."""
            now, begun = self._files(), Command()
            commands = len(self._model.undo_stack)
            self._finish_write(begun, keys, overwrite)
            if len(self._model.undo_stack) > commands:
                begun = self._model.undo_stack[-1]
                for path, change in list(begun.files.items()):
                    if now.get(path) == change.before:
                        del begun.files[path]
                        self._model.forget(path, change.key, before)
                if not begun.files:
                    self._model = before
            jobs = [job for job in self._library.jobs.all() if job.kind == JobKind.WRITE]
            if jobs and not JobState(jobs[-1].state).is_final:
                self._unfinished = (begun, keys, overwrite)

        return StartWrite(scope=Scope(keys=tuple(keys)), overwrite=overwrite), settle

    def _kill_caption(self) -> tuple[RequestBody, Callable[[Model], None]]:
        return StartCaption(scope=Scope(keys=tuple(self._keys))), lambda _before: None

    def _kill_tag(self) -> tuple[RequestBody, Callable[[Model], None]]:
        return SetVocabulary(tags=TAGS[: self._chance.randint(2, 5)]), lambda _before: None

    def _kill_index(self) -> tuple[RequestBody, Callable[[Model], None]]:
        return StartIndex(folders=(WirePath.of(self._photos),)), lambda _before: None
