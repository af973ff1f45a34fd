"""Pictures to learn from: shards, crops, features on disk."""
