"""Same pictures in the window: the page of their groups, and two or more side by side."""
