"""Quality gates: expectations on what is delivered, before dbt, and on the marts, after it."""
