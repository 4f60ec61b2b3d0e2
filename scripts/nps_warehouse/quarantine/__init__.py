"""Rejected rows as something to work with: shown, handed to who delivered them, compared."""
