"""The administration of the exam: reference data is edited, deeds go through actions, the rest is looked at."""

from exams.admin import bank, exam, papers, sheets

__all__ = ["bank", "exam", "papers", "sheets"]
