"""State that no build can make again: what was published, and what was delivered at that time."""
