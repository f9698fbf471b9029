"""What the household's language model hears, what it may do, and what of its words is spoken."""
