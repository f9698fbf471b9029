"""How rows are reached: a noun at a time."""
