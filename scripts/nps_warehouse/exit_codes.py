"""What the commands' exit codes mean: few, and the same for every command.

docs/nightly.md says it to those who schedule the commands. Click itself ends with 2 where the
command line is wrong, and with 1 where one of the small commands refuses what was asked.
"""

OK = 0
"""Done; nothing critical failed, warnings are in the report."""

CRITICAL_FAILED = 3
"""A gate failed, an expectation or a data test: what was published before still stands."""

STALE = 4
"""What is published is older than it may be, or nothing is published yet."""

BAD_INPUT = 65
"""Something that was given cannot be read or used (`EX_DATAERR` of sysexits.h)."""

UNREACHABLE = 69
"""A file or folder cannot be opened or written: disk full, no permission (`EX_UNAVAILABLE`)."""

INTERNAL = 70
"""A defect of the project (`EX_SOFTWARE`)."""

LOCKED = 75
"""Another run is at work; try again later (`EX_TEMPFAIL`)."""
