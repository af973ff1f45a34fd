"""Jobs in the window: strip, panel and commands."""
