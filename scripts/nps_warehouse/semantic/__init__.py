"""The semantic layer's command, in an environment of its own (``scripts/mf``)."""
