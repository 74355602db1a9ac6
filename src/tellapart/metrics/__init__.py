"""Accuracy and other measures of predictions, with their intervals."""
