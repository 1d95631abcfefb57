"""The bank format `ecni-bank/1`: a file is read whole or refused whole; what cannot be marked is set aside."""

from exams.rules.bank.html import ARTICLE_TAGS, TEXT_TAGS, html_faults, images
from exams.rules.bank.media import media_faults
from exams.rules.bank.model import Bank, BankCase, BankError, BankErrors, BankQuestion, SetAside
from exams.rules.bank.reading import join_banks, parse_bank
from exams.rules.bank.setting_aside import set_aside

__all__ = [
    "ARTICLE_TAGS",
    "TEXT_TAGS",
    "Bank",
    "BankCase",
    "BankError",
    "BankErrors",
    "BankQuestion",
    "SetAside",
    "html_faults",
    "images",
    "join_banks",
    "media_faults",
    "parse_bank",
    "set_aside",
]
