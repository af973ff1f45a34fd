"""The page Tags: the vocabulary that tags are chosen from."""
