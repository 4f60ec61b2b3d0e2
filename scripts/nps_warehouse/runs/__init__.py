"""The nightly run: one command from the delivered files to what is published, and its record."""
