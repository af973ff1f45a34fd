"""The page Teach."""
