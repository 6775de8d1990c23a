"""Organizations (agencies) and the users who work there."""
