"""Finding media by meaning and by filters."""
