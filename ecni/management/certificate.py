"""A certificate for the load tests of one machine, made for one run."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ecni.engines.account import Account, private_folder

LIFE = timedelta(days=2)


def write_certificate(folder: Path, host: str, account: Account | None) -> Path:
    """Write `cert.pem` and `key.pem` of an address, readable by `account` (else the present user) and root alone.

    The certificate is its own authority: whoever trusts the file accepts it. P-256, as public authorities give.

    Returns:
        The certificate.
    """
    private_folder(folder, account)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ECNi, essai de charge")])
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - LIFE, now + LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for file, content in (("cert.pem", certificate.public_bytes(pem)), ("key.pem", private)):
        path = folder / file
        path.write_bytes(content)
        path.chmod(0o600)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    return folder / "cert.pem"
