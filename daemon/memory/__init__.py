"""Memory: embeddings, recall, what goes into a prompt."""
