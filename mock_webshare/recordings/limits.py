"""Limits on what is read of a recording, and the errors for unreadable input.

A recording may be hostile, or simply huge: every limit is far above what real traffic needs. The number
of values in a record is limited by `exchange.json_limits`, which the judge shares.
"""

from __future__ import annotations

LARGEST_RECORD = 64 * 1024**2
"""Bytes of one record, and of one body, packed or unpacked. A page of a hundred credits has about 25,000."""
LARGEST_SKIP = 1024**3
"""Bytes of a record that is too long to be kept; a longer one ends the file."""
BEGINNING = 64 * 1024
"""Bytes that are kept of a record that is too long: enough to find its URL."""
HEAD = 1024**2
"""Bytes of a file that are examined to detect its format."""
MOST_BAD_RECORDS = 100_000
"""Malformed records in a row; a file with more has another format."""
MOST_HEADERS = 1000
"""Headers of a message. In YAML a few aliases make millions of them."""
MOST_CODINGS = 4
"""Content codings of one body. One is usual."""

DEEPEST_JSON = 1000
"""Nested brackets. A HAR needs seven."""

DEEPEST_YAML = 50
"""Nested collections. A cassette needs six."""
MOST_ANCHORS = 100_000
"""Values that aliases may refer to: they are kept to the end. Their total is limited as a record is."""
LARGEST_ANCHORED = 64 * 1024
"""Characters of such a value. PyYAML writes aliases for headers, not for bodies; without a limit, a short
file could name one long body a million times."""

LARGEST_ATTACHMENTS = 2 * 1024**3
"""Bytes of all attachments of a HAR: a million entries may name the same small file."""
LARGEST_ZIP_DIRECTORY = 8 * 1024**2
"""Bytes of the list of files in a ZIP archive, which is read as a whole."""


class Malformed(Exception):
    """One record is not an exchange, but the next one may be.

    The message shows no value of the record.
    """
