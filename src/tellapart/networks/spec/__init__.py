"""What a network is and how it is trained, as plain values."""
