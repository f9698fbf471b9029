"""SQLModel tables, one file a noun. Tables: weights of neural networks never live here."""
