"""Decoding one video: frames, shots, moments, metadata."""
