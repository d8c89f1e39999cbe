"""The command line: one command per file in `commands`, everything that is printed goes through `output`."""
