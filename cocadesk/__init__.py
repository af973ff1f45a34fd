"""CocaDesk: search, tag and caption your own photos and videos by meaning, offline."""

__version__ = "0.1.0"
