"""Customers who are to be forgotten, and rows that are too old to keep."""
