"""Decoding one photo: JPEG, Pillow's formats, colour, size."""
