"""The command line: serving, migrating, the schema as text, first accounts and the demo."""
