"""Metadata of photos and videos: EXIF, XMP, IPTC and dates."""
