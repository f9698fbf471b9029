"""HTTP on 127.0.0.1: ask, listen, health."""
