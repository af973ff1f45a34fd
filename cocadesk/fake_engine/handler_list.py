"""The handlers of a fake engine, built in their order."""

from __future__ import annotations

from cocadesk.fake_engine.albums import FakeAlbums
from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.browsing import FakeBrowsing
from cocadesk.fake_engine.care import FakeCare
from cocadesk.fake_engine.explaining import FakeExplaining
from cocadesk.fake_engine.forgetting import FakeForgetting
from cocadesk.fake_engine.groups import FakeGroups
from cocadesk.fake_engine.library import FakeLibrary, FakeVideos
from cocadesk.fake_engine.maps import FakeMaps
from cocadesk.fake_engine.models import FakeModels, FakeVocabulary
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.fake_engine.sidecars import FakeWriting
from cocadesk.fake_engine.suggestions import FakeSuggestions
from cocadesk.fake_engine.tags import FakeTags
from cocadesk.fake_engine.teaching import FakeTeaching


class FakeHandlers:
    """All handlers over one context; those that the engine itself asks have a name."""

    def __init__(self, context: FakeContext) -> None:
        videos = FakeVideos(context)
        self.annotations = FakeAnnotations(context)
        groups = FakeGroups(context, self.annotations)
        self.media = FakeLibrary(context, self.annotations, videos, groups)
        browsing = FakeBrowsing(context, self.annotations, self.media)
        vocabulary = FakeVocabulary(context)
        self.all = (
            self.media,
            browsing,
            browsing.filters,
            FakeForgetting(context, self.media),
            context.jobs,
            videos,
            groups,
            FakeMaps(context, self.annotations),
            FakeExplaining(context, self.annotations),
            FakeCare(context),
            self.annotations,
            FakeAlbums(context, self.annotations),
            FakeSuggestions(context, self.annotations),
            FakeWriting(context, self.annotations),
            FakeTeaching(context),
            FakeModels(context),
            vocabulary,
            FakeTags(context, self.annotations, vocabulary),
        )
