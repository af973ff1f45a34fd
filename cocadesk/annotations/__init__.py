"""Words for pictures: vocabularies, zero-shot tags, captions, and what people say themselves."""
