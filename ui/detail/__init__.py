"""The detail pane: one photo or video, large, with what is known of it."""
