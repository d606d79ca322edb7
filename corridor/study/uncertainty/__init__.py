"""Sweeps: the uncertain numbers of a study drawn, solved and told as distributions."""
