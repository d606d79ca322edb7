"""Why not, what rules cost, and the least that would have to change."""
