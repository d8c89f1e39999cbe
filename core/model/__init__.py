"""Nouns: frozen data without I/O and without a clock."""
