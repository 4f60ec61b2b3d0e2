"""A generated contact center: raw tables with planted, documented truth."""
