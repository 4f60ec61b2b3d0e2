"""The same models on several engines: whether each says the same."""
