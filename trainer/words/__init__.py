"""Words before pictures: a sentence model, WordNet, and the sentences drawn from them."""
