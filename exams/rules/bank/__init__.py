"""The bank format `ecni-bank/1`: a file is read whole or refused whole."""

from exams.rules.bank.html import ARTICLE_TAGS, TEXT_TAGS, html_faults, images
from exams.rules.bank.media import media_faults
from exams.rules.bank.model import Bank, BankCase, BankError, BankErrors, BankQuestion
from exams.rules.bank.pixels import image_size
from exams.rules.bank.reading import join_banks, parse_bank

__all__ = [
    "ARTICLE_TAGS",
    "TEXT_TAGS",
    "Bank",
    "BankCase",
    "BankError",
    "BankErrors",
    "BankQuestion",
    "html_faults",
    "image_size",
    "images",
    "join_banks",
    "media_faults",
    "parse_bank",
]
