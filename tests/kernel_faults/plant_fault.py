#!/usr/bin/env python3
"""Writes a copy of a kernel's source with one fault in it: plant_fault.py SOURCE COPY PATTERN NTH REPLACEMENT

Replaces the NTH occurrence (from 1) of PATTERN, a plain string. Fails when there is none: then the kernel has changed,
and what looks like a planted fault would be none.
"""

import pathlib
import sys


def plant(text, pattern, nth, replacement):
    """The text with its nth pattern replaced; None when it has no such."""
    parts = text.split(pattern)
    if not pattern or not 0 < nth < len(parts):
        return None
    return pattern.join(parts[:nth]) + replacement + pattern.join(parts[nth:])


def main():
    source, copy, pattern, nth, replacement = sys.argv[1:]
    planted = plant(pathlib.Path(source).read_text(), pattern, int(nth), replacement)
    if planted is None:
        sys.exit(f'{source} has no occurrence {nth} of "{pattern}": no fault was planted; adapt the test to the kernel')
    pathlib.Path(copy).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(copy).write_text(planted)


if __name__ == '__main__':
    main()
