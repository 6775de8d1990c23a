"""Rows for tests, one small function per type."""
