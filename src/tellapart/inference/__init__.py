"""Predictions for pictures, from the model of a run or an export."""
