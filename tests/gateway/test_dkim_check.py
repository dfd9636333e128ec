"""DKIM of staff mail, checked by ourselves with a key of our own making and a DNS in memory."""

import base64

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mailbot.gateway.dkim_check import signs_for_sender

MAIL = b"From: Anna <anna@example.org>\r\nTo: privacy@example.com\r\nSubject: Re: x\r\n\r\nhyv\xc3\xa4ksyn\r\n"


@pytest.fixture(scope="module")
def keys() -> tuple[bytes, bytes]:
    """A private key as PEM and its DNS record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def _signed(private: bytes, domain: bytes = b"example.org", mail: bytes = MAIL) -> bytes:
    return dkim.sign(mail, b"s1", domain, private, include_headers=[b"from", b"to", b"subject"]) + mail


def test_a_good_signature_of_the_senders_domain_vouches(keys: tuple[bytes, bytes]) -> None:
    """The signature of example.org, and of nothing above it, vouches for anna@example.org and anna@mail.example.org."""
    raw = _signed(keys[0])
    assert signs_for_sender(raw, "anna@example.org", dns=lambda *_a, **_k: keys[1])
    assert signs_for_sender(raw, "anna@mail.example.org", dns=lambda *_a, **_k: keys[1])


def test_a_signature_of_another_domain_vouches_for_nobody_here(keys: tuple[bytes, bytes]) -> None:
    """evil.example can sign what it likes."""
    raw = _signed(keys[0], b"evil.example")
    assert not signs_for_sender(raw, "anna@example.org", dns=lambda *_a, **_k: keys[1])


@pytest.mark.parametrize("spoil", ["body", "subject", "no signature", "silent dns"])
def test_anything_wrong_vouches_for_nothing(keys: tuple[bytes, bytes], spoil: str) -> None:
    """A changed body or subject, no signature, or a DNS without the key: not verified, and no error."""
    raw = _signed(keys[0])
    raw = {
        "body": raw.replace(b"hyv", b"HYV"),
        "subject": raw.replace(b"Re: x", b"Re: y"),
        "no signature": MAIL,
        "silent dns": raw,
    }[spoil]
    record = None if spoil == "silent dns" else keys[1]
    assert not signs_for_sender(raw, "anna@example.org", dns=lambda *_a, **_k: record)
