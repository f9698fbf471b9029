"""The `mordomo` command, one file a subcommand. Heavy imports stay inside the functions: each starts quickly."""
