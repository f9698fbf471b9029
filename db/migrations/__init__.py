"""How the schema came to be, revision by revision; `db/upgrade.py` runs them."""
