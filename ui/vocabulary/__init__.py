"""The page Tags: those of the library, and the vocabulary that suggestions are chosen from."""
