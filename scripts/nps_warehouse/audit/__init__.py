"""Audit of dependencies: is every release pinned by its hash, and does an advisory name it?"""
