"""One file a command: its arguments, what it asks an engine, what it prints."""
