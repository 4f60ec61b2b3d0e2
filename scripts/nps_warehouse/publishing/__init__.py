"""What BI reads: versions of the published tables, and the file that shows one of them.

A version is written, proved and put on disk before it is shown; showing it is one rename. What
stands where, and what a crash leaves, docs/publishing.md says.
"""

from nps_warehouse.publishing.atomic import publish, repair, rollback
from nps_warehouse.publishing.place import PublishingError
from nps_warehouse.publishing.versions import Version, current, versions

__all__ = [
    "PublishingError",
    "Version",
    "current",
    "publish",
    "repair",
    "rollback",
    "versions",
]
