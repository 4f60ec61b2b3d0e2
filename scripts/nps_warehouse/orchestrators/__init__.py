"""What ``orchestrators/`` shares: the project's own commands, called from outside.

An orchestrator lives in an environment of its own, so nothing here but ``dbt`` imports more of the
project than the standard library and PyYAML can carry.
"""
