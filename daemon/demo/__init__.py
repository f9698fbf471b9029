"""The demonstration: recorded scenes and small models of our own, for trials and tests."""
