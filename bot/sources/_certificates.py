"""Certificates of Amazon SNS, and signatures checked with them. Imported at the first signed message: the library is large."""

import base64
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bot.plugins import Fetch

_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
MAX_CERTIFICATES = 16


class Certificates:
    """Public keys by the address of their certificate; they change about once a year."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[rsa.RSAPublicKey, datetime]] = {}

    async def key(self, url: str, now: datetime, fetch: Fetch) -> rsa.RSAPublicKey | None:
        """The key in the certificate at an address that `is_sns` allows; None if there is no valid one. Raises QueryFailed."""
        if url not in self._keys:
            try:
                certificate = x509.load_pem_x509_certificate(await fetch(url))
            except ValueError:
                return None
            key = certificate.public_key()
            if not isinstance(key, rsa.RSAPublicKey) or certificate.not_valid_before_utc > now:
                return None
            if len(self._keys) >= MAX_CERTIFICATES:
                self._keys.clear()
            self._keys[url] = key, certificate.not_valid_after_utc
        key, expires_at = self._keys[url]
        return key if now < expires_at else None


CERTIFICATES = Certificates()


def is_signed_by(key: rsa.RSAPublicKey, signature: str, text: str, version: str) -> bool:
    """Whether a Base64 signature of this version of SNS' scheme (1: SHA-1, 2: SHA-256) is the key's over the text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), _HASHES[version]())
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True
