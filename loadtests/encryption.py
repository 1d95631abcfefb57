"""What encrypts the connections of every generator."""

import ssl
from functools import cache


@cache
def encryption(base: str) -> ssl.SSLContext | None:
    """Return what encrypts connections to an https address; None for http.

    Certificates are verified against the authorities of this machine, or those of the file that SSL_CERT_FILE names.
    """
    return ssl.create_default_context() if base.startswith("https:") else None
