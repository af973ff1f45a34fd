"""Captions and tags in the window: fields, editor, dialogs."""
