"""The brain's words in Brazilian Portuguese."""
