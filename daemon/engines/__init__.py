"""Engines: one verb each behind a Protocol, one file a vendor."""
