"""Metrics and reports: pure functions first, runs over a model's door second."""
