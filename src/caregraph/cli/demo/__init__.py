"""Fictional organizations to look at: who works there, whom they treat and how it goes."""
