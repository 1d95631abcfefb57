"""Whether a page was asked for by the kiosk browser that an exam wants: Safe Exam Browser's Config Key."""

from hashlib import sha256
from hmac import compare_digest

HEADER = "X-SafeExamBrowser-ConfigKeyHash"


def proves_config(url: str, config_key: str, shown: str) -> bool:
    """Whether the header shown is what a browser with this configuration sends for this address.

    Args:
        url: the whole address that was asked for, without fragment.
        config_key: 64 hexadecimal digits in lower case.
        shown: value of the header, empty when there is none.
    """
    expected = sha256(f"{url}{config_key}".encode()).hexdigest()
    return compare_digest(expected.encode(), shown.strip().lower().encode())
