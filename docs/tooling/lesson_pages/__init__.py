"""The documentation's pages of the lessons, made from the results of real runs."""
