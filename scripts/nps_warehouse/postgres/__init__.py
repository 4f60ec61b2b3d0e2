"""PostgreSQL as the engine of a build: a server for a developer, and the files landed in it."""
