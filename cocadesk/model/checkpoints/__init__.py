"""Weights on disk: our checkpoints, open_clip's, and where a hub keeps them."""
