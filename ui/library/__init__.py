"""The library page: search box, grid and results."""
