"""People: who speaks, what they may do, consent and erasure."""
