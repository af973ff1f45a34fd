"""The window's connection to its engine."""
