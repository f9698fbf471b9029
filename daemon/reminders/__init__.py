"""Reminders: the due loop and delivery."""
