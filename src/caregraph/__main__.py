"""`python -m caregraph` is the `caregraph` command."""

from caregraph.cli.main import main

main()
