"""The card of an offered model: what it finds, what it costs, and what is happening with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from cocadesk.protocol.values import JobValue, ModelOffer
from ui.kit.job_parts import JobProgress
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import hide_or_say
from ui.kit.texts import count_media, file_size
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import button, label, restyle
from ui.models.inquiry import Answer, Inquiry
from ui.models.offer_state import (
    OfferState,
    Stage,
    library_text,
    size_text,
    speed_text,
    state_of,
)
from ui.models.recall_picture import RecallPicture

MEASURING = tr("measuring…")
NOT_MEASURED = tr("not measured yet")
SENT = tr(
    "Only the model's name is asked for there; nothing of your photos, words or searches is sent."
)


class Fact(QWidget):
    """A short heading over a value."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self.value = label("", wraps=True)
        self._heading = heading
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the other facts of a card stay where they are
        self.setSizePolicy(policy)
        in_column(label(heading, "section"), self.value, STRETCH, gap=2, of=self)

    def say(self, text: str) -> None:
        """Shows the value; without one nothing of it is seen."""
        self.setVisible(bool(text))
        self.value.setText(text)
        self.setAccessibleName(f"{self._heading}: {text}")


class OfferCard(QFrame):
    """One choice. ``fetch``, ``use``, ``captions`` (it shall write them, no more) and ``remove``
    carry its source, ``control`` a job's id.

    ``room``: a person wants to make room on the disk.
    """

    fetch = Signal(str)
    use = Signal(str)
    captions = Signal(str)
    remove = Signal(str)
    measure = Signal(str)
    room = Signal()
    control = Signal(object, object)

    def __init__(self, offer: ModelOffer) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(f"{offer.title}: {offer.name}")
        self.offer = offer
        self.state = OfferState(stage=Stage.ABSENT)
        self._media = 0
        self.badge = label("", "badge")
        self.takes, self.speed = Fact(tr("Size")), Fact(tr("Speed here"))
        self.time = Fact(tr("This library"))
        self.line = label("", "muted", wraps=True)
        self.problem = label("", "problem", wraps=True)
        self.progress = JobProgress()
        self.go = button("", "primary", on_click=self._on_go)
        self.make_room = button(tr("Free space…"), on_click=self.room.emit)
        self.again = button(tr("Measure"), "link", on_click=self._on_measure)
        self.caption = button(tr("Use for captions"), "link", on_click=self._on_captions)
        self.caption.setAccessibleName(tr("Use {name} for captions", name=offer.name))
        self.drop = button(tr("Remove…"), "link", on_click=self._on_remove)
        self.inquiry = Inquiry()
        self._lay_out(offer)
        self.progress.control.connect(self.control)
        self.inquiry.closed.connect(self._after_question)

    def _lay_out(self, offer: ModelOffer) -> None:
        name = label(offer.name, "muted")
        head = in_row(label(offer.title, "heading"), name, self.badge, STRETCH, gap=GAP_M)
        facts = in_row((self.takes, 3), (self.speed, 3), (self.time, 4), gap=GAP_L)
        links = (self.caption, self.drop, self.again)
        actions = in_row(self.go, self.make_room, *links, STRETCH, gap=8)
        self._actions = QWidget()
        in_column(actions, of=self._actions)
        texts = in_column(head, label(offer.good_for, wraps=True), facts, gap=GAP_M)
        for part in (self.line, self.problem, self._actions):
            texts.addWidget(part)
        texts.addStretch(1)
        top = in_row((texts, 1), gap=28)
        if offer.recall and offer.is_for_search:
            top.addWidget(RecallPicture(offer.recall[0]))
        in_column(top, self.progress, self.inquiry, gap=14, margins=(18, 14, 18, 16), of=self)

    def show_offer(
        self,
        offer: ModelOffer,
        job: JobValue | None,
        *,
        media: int,
        problem: str = "",
        is_measuring: bool = False,
    ) -> None:
        """Shows it as it is now; an open question stays as long as it still makes sense."""
        before = self.state.stage
        self.offer, self._media = offer, media
        self.state = state = state_of(offer, job, problem)
        hide_or_say(self.badge, state.badge)
        self._show_facts(is_measuring)
        is_moving = state.stage in (Stage.FETCHING, Stage.READING)
        self.progress.setVisible(is_moving)
        if job is not None and is_moving:
            self.progress.draw_job(job, state.line)
        hide_or_say(self.line, "" if is_moving else state.line)
        hide_or_say(self.problem, "" if is_moving else state.problem)
        self._show_buttons()
        if state.stage is not before and not self.inquiry.isHidden():
            self.inquiry.close_question()
        if self.property("chosen") is not offer.is_used:
            self.setProperty("chosen", offer.is_used)
            restyle(self)
        self.setAccessibleDescription(" ".join(part for part in self._said() if part))

    def _said(self) -> tuple[str, ...]:
        return (self.state.badge, self.offer.good_for, self.state.line, self.state.problem)

    def _show_facts(self, is_measuring: bool) -> None:
        rate, is_searching = self.offer.photos_per_second, self.offer.is_for_search
        waiting = MEASURING if is_measuring else NOT_MEASURED
        self.takes.say(size_text(self.offer))
        speed = speed_text(rate) if rate else waiting
        time = library_text(self.offer, self._media) or (MEASURING if is_measuring else "")
        self.speed.say(speed if is_searching else "")
        self.time.say(time if is_searching else "")
        self.again.setVisible(is_searching and not rate and not is_measuring)

    def _show_buttons(self) -> None:
        stage, has_problem = self.state.stage, bool(self.state.problem)
        texts = {
            Stage.ABSENT: tr("Try again") if has_problem else tr("Get…"),
            Stage.BROKEN_OFF: tr("Try again") if has_problem else tr("Resume"),
            Stage.HERE: tr("Use") if self.offer.is_for_search else tr("Use for captions"),
        }
        is_done = self.offer.is_used_for_captions and not self.offer.is_for_search
        text = "" if is_done else texts.get(stage, "")
        is_asking = not self.inquiry.isHidden()
        self.go.setText(text)
        self.go.setAccessibleName(f"{text.rstrip('…')}: {self.offer.name}")
        self.go.setVisible(bool(text) and not is_asking)
        self.make_room.setVisible(self.state.lacks_room)
        is_kept = stage is Stage.BROKEN_OFF or (stage is Stage.HERE and self._is_fetched)
        self.drop.setVisible(is_kept and not is_asking)
        self.drop.setAccessibleName(tr("Remove {name}", name=self.offer.name))
        may_caption = stage in (Stage.HERE, Stage.USED) and self.offer.is_for_captions
        is_second = self.offer.is_for_search and not self.offer.is_used_for_captions
        self.caption.setVisible(may_caption and is_second and not is_asking)
        shown = (self.go, self.make_room, self.caption, self.drop, self.again)
        self._actions.setVisible(any(not part.isHidden() for part in shown))

    @property
    def _is_fetched(self) -> bool:
        """True for files that can be fetched again."""
        return ":" in self.offer.source

    @property
    def _reads(self) -> bool:
        """True where using it costs time."""
        return bool(self._media) and self.offer.coverage < 1.0

    # What a person does -------------------------------------------------------------

    def _on_go(self) -> None:
        stage = self.state.stage
        if stage is Stage.BROKEN_OFF:
            self.fetch.emit(self.offer.source)
        elif stage is Stage.ABSENT:
            self._ask_to_fetch()
        elif not self.offer.is_for_search:
            self._on_captions()
        elif self._reads:
            self._ask_to_read()
        else:
            self.use.emit(self.offer.source)

    def _ask_to_fetch(self) -> None:
        offer = self.offer
        size = file_size(offer.size_bytes - offer.fetched_bytes)
        host = offer.fetched_from
        came = tr("{size} comes over the network from {host}, once.", size=size, host=host)
        lines = [f"{came} {SENT}"]
        use = self.use if offer.is_for_search else self.captions
        if not offer.is_for_search:
            lines.append(tr("It then writes the captions; search stays as it is."))
        elif self._reads:
            lines.append(self._reading())
        self._ask(
            tr("Get {name}?", name=offer.name),
            lines,
            (tr("Fetch and use"), lambda: use.emit(offer.source)),
            (tr("Only fetch"), lambda: self.fetch.emit(offer.source)),
        )

    def _ask_to_read(self) -> None:
        offer = self.offer
        self._ask(
            tr("Use {name}?", name=offer.name),
            [self._reading()],
            (tr("Read and use"), lambda: self.use.emit(offer.source)),
        )

    def _reading(self) -> str:
        offer = self.offer
        missing = count_media(max(1, round(self._media * (1 - offer.coverage))))
        goes_on = tr(
            "Search goes on with the present model until that is done, and then changes over by "
            "itself. You can pause or stop it; what was read is kept."
        )
        time = library_text(offer, self._media) if offer.photos_per_second else ""
        if not time:
            return f"{tr('It then reads {media} in the background.', media=missing)} {goes_on}"
        read = tr("It then reads in the background: {time}.", time=time)
        return f"{read} {goes_on}"

    def _on_remove(self) -> None:
        offer = self.offer
        freed = file_size(offer.fetched_bytes or offer.size_bytes)
        lines = [tr("That frees {size} on the disk. It can be fetched again.", size=freed)]
        self._ask(
            tr("Remove {name}?", name=offer.name),
            lines,
            (tr("Remove"), lambda: self.remove.emit(offer.source)),
        )

    def _ask(self, heading: str, lines: list[str], *answers: Answer) -> None:
        self.inquiry.ask(heading, lines, *answers)
        self._show_buttons()

    def _after_question(self) -> None:
        self._show_buttons()
        if not self.go.isHidden():
            self.go.setFocus()

    def _on_captions(self) -> None:
        self.captions.emit(self.offer.source)

    def _on_measure(self) -> None:
        self.measure.emit(self.offer.source)
