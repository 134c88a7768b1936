"""What a declared name is called on the disk: a folder or file of its own, never a path."""

import re
import unicodedata

LONGEST = 100
"""Bytes: file systems allow 255, and endings are added."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are devices to some systems."""


def file_name(name: str) -> str:
    """A name as a part of a path: separators, marks and control characters become '-', as does a dot at an end.

    Never empty, a device, or longer than LONGEST bytes; letters of all scripts stay.
    """
    plain = unicodedata.normalize("NFC", name)
    plain = "".join(
        c if c.isalnum() or c in "-_.,+= ()[]" or unicodedata.combining(c) else "-" for c in plain
    )
    plain = plain.encode()[:LONGEST].decode(errors="ignore").strip(". -")
    return f"{plain}-" if RESERVED.fullmatch(plain) else plain or "problem"
