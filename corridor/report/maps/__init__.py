"""Maps: interactive ones, ones for paper, and the geometry under both."""
