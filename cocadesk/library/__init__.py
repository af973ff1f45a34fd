"""The library on disk: the rows, vectors and annotations of its media."""
