"""The report of a result: one self-contained HTML page."""

from __future__ import annotations

from sweep.report.page import report_page, write_report

__all__ = ["report_page", "write_report"]
