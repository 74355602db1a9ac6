"""Which network to train, and how, as plain values."""
