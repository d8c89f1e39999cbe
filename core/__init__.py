"""Tailrace: runs declarative flows and records every task's output."""
