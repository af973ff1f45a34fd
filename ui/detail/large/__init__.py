"""One photo or video over the whole window."""
