"""The `mordomo` command, one file a subcommand. Heavy imports stay inside the functions, so that each starts quickly."""
