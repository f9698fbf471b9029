"""The revisions, each down as well as up."""
