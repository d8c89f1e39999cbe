"""Types of options."""

from __future__ import annotations


def positive(text: str) -> int:
    """A whole number from 1 up, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def port(text: str) -> int:
    """A port to listen at, for argparse."""
    number = int(text)
    if not 0 <= number < 65536:
        raise ValueError(text)
    return number


positive.__name__ = "a whole number from 1 up"  # an argument that it can't read is told with it
port.__name__ = "a number from 0 to 65535"
