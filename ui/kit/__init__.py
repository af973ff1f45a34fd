"""Building blocks of the window: theme, widgets, icons, actions."""
