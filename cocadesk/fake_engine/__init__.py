"""A small engine with made-up rows, held to the real one by contract tests."""
