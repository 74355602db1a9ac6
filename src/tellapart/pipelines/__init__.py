"""The main jobs from top to bottom: check, train, evaluate, compare."""
