"""What the commands' exit codes mean. docs/quality_gates.md says it to their users."""

OK = 0
"""Nothing critical failed; warnings are in the report."""

CRITICAL_FAILED = 3
"""A critical expectation failed: do not publish."""

BAD_INPUT = 65
"""Something that was given cannot be read or used (`EX_DATAERR` of sysexits.h)."""
