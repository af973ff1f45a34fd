"""Text to token ids: byte pairs for our own models, CLIP's words for released ones."""
