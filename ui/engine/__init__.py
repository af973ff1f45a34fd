"""The talk with the engine: the connection, and the jobs that it tells of."""
