"""`python -m caregraph.cli`."""

from .main import main

main()
