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


positive.__name__ = "whole number from 1 up"  # argparse says: invalid whole number from 1 up value: '0'
port.__name__ = "port"
