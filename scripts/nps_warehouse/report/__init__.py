"""The report that needs no server: HTML files that carry all they show."""

from nps_warehouse.report.pages import report_for_run

__all__ = ["report_for_run"]
