"""Tables for terminals and notebooks: numbers with units, blanks for what is unknown."""
