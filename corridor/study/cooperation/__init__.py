"""What states are worth to each other, and how to share it."""
