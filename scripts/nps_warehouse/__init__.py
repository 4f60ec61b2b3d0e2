"""Python side of the NPS warehouse: what dbt calls before, beside and after its models."""
