"""The devices that a training can run on, and how fast each is."""
