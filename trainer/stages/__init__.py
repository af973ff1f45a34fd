"""The stages of a training, from a config file to a finished run."""
