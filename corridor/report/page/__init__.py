"""The report: one HTML page with the answer, a map, tables, charts and the evidence."""

from corridor.report.page.writing import write_report

__all__ = ["write_report"]
