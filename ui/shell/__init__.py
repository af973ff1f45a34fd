"""The main window: layout, pages, commands, dialogs."""
