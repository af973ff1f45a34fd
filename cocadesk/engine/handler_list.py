"""The handlers of an engine, built in their order."""

from __future__ import annotations

from cocadesk.engine.annotations import AnnotationHandler
from cocadesk.engine.browsing import BrowsingHandler
from cocadesk.engine.explaining import ExplainHandler
from cocadesk.engine.filter_requests import FilterHandler
from cocadesk.engine.forgetting import ForgettingHandler
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.index_job import IndexHandler
from cocadesk.engine.job_requests import JobHandler
from cocadesk.engine.library_care import CareHandler
from cocadesk.engine.library_requests import LibraryHandler
from cocadesk.engine.maps import MapHandler
from cocadesk.engine.media_details import MediaDetails
from cocadesk.engine.models import ModelHandler
from cocadesk.engine.moving import MoveHandler
from cocadesk.engine.presence import PresenceHandler
from cocadesk.engine.suggestions import SuggestionHandler
from cocadesk.engine.teaching.requests import TeachingHandler
from cocadesk.engine.watching import WatchHandler


class Handlers:
    """All handlers of one engine; those that the engine itself asks have a name."""

    def __init__(self, context: EngineContext) -> None:
        self.library = LibraryHandler(context)
        self.jobs = JobHandler(context)
        self.watching = WatchHandler(context)
        self.models = ModelHandler(context)
        annotations = AnnotationHandler(context)
        details = MediaDetails(context)
        self.all: tuple[RequestHandler, ...] = (
            self.library,
            BrowsingHandler(context),
            CareHandler(context),
            MoveHandler(context),
            FilterHandler(context),
            details,
            ExplainHandler(context, details),
            MapHandler(context),
            self.jobs,
            IndexHandler(context),
            self.watching,
            ForgettingHandler(context),
            PresenceHandler(context),
            annotations,
            *annotations.lists,
            SuggestionHandler(*annotations.shared),
            self.models,
            TeachingHandler(context, self.models.switcher),
        )
