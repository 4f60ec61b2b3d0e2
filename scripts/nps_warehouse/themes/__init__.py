"""Themes of comments: how well patterns find them, and a classifier that learns them."""
