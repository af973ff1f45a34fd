"""The engine: one process a library, its only writer; handlers, scheduler and jobs."""
