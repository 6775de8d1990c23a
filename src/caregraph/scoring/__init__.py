"""Turns answers into numbers: measures, expected courses, outcomes and aggregate statistics, with NumPy alone."""
