"""What to build: projects, portfolios, their economics, and in which order."""
