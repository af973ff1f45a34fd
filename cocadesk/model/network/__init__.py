"""CoCa after the paper (arXiv 2205.01917): encoders, poolers, decoders, generation."""
