"""Lands the delivered CSV and Parquet files as schema `raw` of a DuckDB database.

`land.land` does the whole work; `plugin.Plugin` offers it to dbt-duckdb as a SQL function.
"""
