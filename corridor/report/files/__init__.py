"""Files that analysts take on, written whole or not at all."""
