"""Teaching runs in the engine: requests, data set, trainer process, run records."""
