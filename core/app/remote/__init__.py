"""The services of a server, asked over its API: what the command line is given with `--server`."""
