"""Sections of the report: one module each, one function from the material to a `Section`."""
