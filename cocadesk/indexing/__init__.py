"""The pipeline that makes files searchable: scan, decode, embed, commit."""
