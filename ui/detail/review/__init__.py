"""Suggested captions and tags, one photo at a time: accepted, edited, rejected or left."""
