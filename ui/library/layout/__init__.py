"""Where each photo of a list lies: rows, blocks of rows, sections with headers. No widgets."""
