"""Ways from door to door: searched, limited, dated, and told leg by leg."""
