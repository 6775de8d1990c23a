"""Compiled execution of queries."""
