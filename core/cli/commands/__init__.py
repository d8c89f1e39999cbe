"""The commands, one module per first word; `core.cli.main` imports only the one that is used."""
