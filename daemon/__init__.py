"""Everything that runs: listens, understands, acts, speaks, reminds."""
