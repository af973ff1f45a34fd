"""The cards of the offered models: kept up to date, measured one after the other."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QVBoxLayout

from cocadesk.protocol.values import JobKind, JobState, JobValue, ModelPurpose
from ui.engine.link import Ticket
from ui.engine.tracker import JobTracker
from ui.kit.plain_text import tip_of
from ui.models.offer_card import OfferCard
from ui.models.requests import ModelRequests

KINDS = (JobKind.FETCH_MODEL, JobKind.SWITCH_MODEL)


class Offers(QObject):
    """A card for each offered model: in ``column`` those that search, else in ``captioners``.

    ``room_wanted``: a person wants to make room on the disk.
    """

    room_wanted = Signal()

    def __init__(
        self,
        requests: ModelRequests,
        tracker: JobTracker,
        column: QVBoxLayout,
        captioners: QVBoxLayout,
    ) -> None:
        super().__init__(requests)
        self._captioners = captioners
        self._requests = requests
        self._tracker = tracker
        self._column = column
        self.cards: dict[str, OfferCard] = {}
        self._problems: dict[str, str] = {}
        self._jobs: set[str] = set()
        self._asked_about: set[tuple[str, JobState]] = set()
        self._measuring: tuple[str, Ticket] | None = None
        self._to_measure: list[str] = []
        self._was_measured: set[str] = set()
        requests.listed.connect(self._on_listed)
        requests.info_came.connect(self._on_info)
        requests.failed.connect(self._on_failed)
        requests.started.connect(self._on_started)
        tracker.job_changed.connect(self._on_job)

    @property
    def sources(self) -> set[str]:
        """The sources of the offers, and those under which their models are listed."""
        offers = [card.offer for card in self.cards.values()]
        return {offer.source for offer in offers} | {offer.listed_as for offer in offers}

    def has_job(self, job_id: str) -> bool:
        """True for a job that is, or was, about one of the offers."""
        return job_id in self._jobs

    def measure_all(self) -> None:
        """Measures each model whose speed is not known, once while the window is open."""
        self._to_measure += [
            source
            for source, card in self.cards.items()
            if card.offer.is_for_search
            and card.offer.photos_per_second is None
            and source not in self._was_measured
            and source not in self._to_measure
        ]
        self._measure_next()

    def stop_measuring(self) -> None:
        """Gives a measuring up; it is begun anew when the page is shown again."""
        self._to_measure.clear()
        if self._measuring is not None:
            source, ticket = self._measuring
            ticket.cancel()
            self._was_measured.discard(source)
            self._measuring = None
            self._show(self.cards[source])

    def _measure_next(self) -> None:
        if self._measuring is not None or not self._to_measure:
            return
        source = self._to_measure.pop(0)
        self._was_measured.add(source)
        self._measuring = (source, self._requests.measure(source, self._on_measured))
        self._show(self.cards[source])

    def _on_measured(self, error: object) -> None:
        if self._measuring is None:
            return
        source, _ = self._measuring
        self._measuring = None
        self.cards[source].again.setToolTip("" if error is None else tip_of(str(error)))
        self._show(self.cards[source])
        self._measure_next()

    def _on_measure(self, source: str) -> None:
        if source not in self._to_measure:
            self._to_measure.append(source)
        self._measure_next()

    # What the engine tells ----------------------------------------------------------

    def _on_listed(self) -> None:
        for offer in self._requests.offers:
            card = self.cards.get(offer.source)
            if card is None:
                card = self._made(OfferCard(offer))
            card.offer = offer
            self._jobs.add(offer.job_id)
            self._show(card)

    def _made(self, card: OfferCard) -> OfferCard:
        self.cards[card.offer.source] = card
        card.fetch.connect(self._on_fetch)
        card.use.connect(self._on_use)
        card.captions.connect(self._on_captions)
        card.remove.connect(self._on_remove)
        card.measure.connect(self._on_measure)
        card.room.connect(self.room_wanted)
        card.control.connect(self._tracker.control)
        (self._column if card.offer.is_for_search else self._captioners).addWidget(card)
        return card

    def _on_info(self, _answer: object) -> None:
        for card in self.cards.values():
            self._show(card)

    def _on_job(self, job: JobValue) -> None:
        if job.kind not in KINDS:
            return
        card = self._card_of(job.id)
        if card is None:
            about = (job.id, job.state)
            if not job.state.is_final and about not in self._asked_about:
                self._asked_about.add(about)  # its progress tells nothing of the list
                self._requests.refresh()
            return
        if job.state is JobState.FAILED:
            self._problems[card.offer.source] = job.message
        if job.state.is_final:
            self._requests.refresh()
        self._show(card)

    def _on_started(self, source: str, job: JobValue) -> None:
        if source in self.cards:
            self._jobs.add(job.id)

    def _on_failed(self, source: str, error: object) -> None:
        if (card := self.cards.get(source)) is not None:
            self._problems[source] = str(error)
            self._show(card)

    def _card_of(self, job_id: str) -> OfferCard | None:
        return next((card for card in self.cards.values() if card.offer.job_id == job_id), None)

    def _show(self, card: OfferCard) -> None:
        source = card.offer.source
        card.show_offer(
            card.offer,
            self._tracker.find(card.offer.job_id),
            media=self._requests.media,
            problem=self._problems.get(source, ""),
            is_measuring=self._measuring is not None and self._measuring[0] == source,
        )

    # What a person does -------------------------------------------------------------

    def _on_fetch(self, source: str) -> None:
        self._problems.pop(source, None)
        self._requests.fetch(source)

    def _on_use(self, source: str) -> None:
        self._problems.pop(source, None)
        self._requests.use(source)

    def _on_captions(self, source: str) -> None:
        self._problems.pop(source, None)
        self._requests.use(source, ModelPurpose.CAPTIONS)

    def _on_remove(self, source: str) -> None:
        self._problems.pop(source, None)
        self._requests.remove(source)
