"""Why a line of a CSV file could not be split into its columns.

The text in `_line_error` starts with one of these reasons and ends with the physical line,
for example `wrong number of fields: 5 where the header has 7 (line 12)`.
"""

NUL_BYTE = "NUL byte"
INVALID_UTF8 = "invalid UTF-8"
FIELD_COUNT = "wrong number of fields"
BROKEN_QUOTES = "broken quotes"
UNCLOSED_QUOTE = "unclosed quote"
LONE_CARRIAGE_RETURN = "lone carriage return"
LINE_TOO_LONG = "line too long"


def at_line(reason: str, line: int) -> str:
    """`reason` with the physical line it was seen at (1 is the first line of the file)."""
    return f"{reason} (line {line})"


def at_lines(reason: str, first: int, last: int) -> str:
    """`reason` with the physical lines, both included, that one broken record covers."""
    return f"{reason} (lines {first}-{last})"
