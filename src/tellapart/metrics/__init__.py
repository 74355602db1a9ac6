"""From predictions and the truth to numbers with intervals."""
