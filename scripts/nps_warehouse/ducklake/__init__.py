"""DuckLake as the place of a build: tables as files, their list in PostgreSQL."""
