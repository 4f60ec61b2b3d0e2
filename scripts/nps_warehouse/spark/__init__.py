"""Spark as the engine of a build: a cluster for a developer, and the files landed in it."""
