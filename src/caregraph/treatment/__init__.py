"""Episodes of care, their sessions and raters, ORS and SRS scores, and what they say about outcomes."""
