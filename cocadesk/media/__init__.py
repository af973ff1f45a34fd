"""Photos and videos from disk: scanning, decoding, thumbnails, metadata.

Importing ``pool``, ``scanning`` and ``types`` is cheap: OpenCV and Pillow are loaded by
the first decode, and inside the pool only by its worker processes.
"""
