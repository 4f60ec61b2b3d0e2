"""Telling: what became of a run, what is shown and how old it is, what somebody should look at."""

from nps_warehouse.telling.tell import tell

__all__ = ["tell"]
