"""Ways in and out other than the local sound card."""
