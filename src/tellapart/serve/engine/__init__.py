"""Decode pictures and run the model on threads."""
