"""Apache Superset as code: what dashboards/superset describes becomes what Superset imports."""
