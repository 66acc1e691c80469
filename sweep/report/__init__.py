"""The report of a result: one page that stands alone."""

from __future__ import annotations

from sweep.report.page import report_page, write_report

__all__ = ["report_page", "write_report"]
