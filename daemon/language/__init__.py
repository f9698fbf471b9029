"""Text to Plan: sentences, numbers, moments in time, names of things."""
