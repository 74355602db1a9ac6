"""Predictions for pictures from a run's model."""
