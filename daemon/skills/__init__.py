"""Skills: each carries one intent out and returns what to say."""
