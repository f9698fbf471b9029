"""What the operator and the household may set."""
