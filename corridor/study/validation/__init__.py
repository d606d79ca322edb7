"""Results held against published times and counts, and what was fitted to them."""
