"""Exports of survey tools and contact centers, made into the raw tables of the input contract."""
