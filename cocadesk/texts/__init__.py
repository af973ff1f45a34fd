"""Texts that people keep beside photos, in shards and as vocabularies: found and read."""
