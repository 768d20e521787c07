"""A private certificate authority for one collector, and the pin by which probes know it.

Law: the keys never leave the folder and are readable for its owner alone; made again, the server's
key stays, so that the pin in a thousand villages stays true.
Sources: RFC 5280 (certificates), RFC 7469 section 2.4 (the pin: SHA-256 of the SPKI, base64).
"""

import base64
import datetime
import hashlib
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.credentials import write_private
from model.errors import InputError

CA_DAYS = 7300
SERVER_DAYS = 825
"""What phones and libraries accept of a private authority at most."""
BACKDATED = datetime.timedelta(days=1)
"""Clocks of probes may be behind."""


def make(folder: Path, names: Sequence[str], now: datetime.datetime) -> str:
    """Write ``ca.pem``, ``ca-key.pem``, ``server.pem`` (with its authority) and ``server-key.pem``,
    keeping what keys and authority there are; return the server's pin.

    ``names``: host names and IP addresses of the collector. Raises InputError for none or a bad
    one, or for files that are no keys.
    """
    if not names:
        raise InputError("name the collector: --name HOST_OR_ADDRESS, as probes will call it")
    alternatives = [_alternative(name) for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    ca_key = _key(folder / "ca-key.pem")
    ca_path = folder / "ca.pem"
    if ca_path.exists():
        ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
        if ca.public_key() != ca_key.public_key():
            raise InputError(f"{ca_path} does not belong to ca-key.pem: use another folder")
    else:
        ca = _authority(ca_key, now)
        ca_path.write_bytes(_pem(ca))
    server_key = _key(folder / "server-key.pem")
    server = _server(server_key, ca, ca_key, alternatives, now)
    (folder / "server.pem").write_bytes(_pem(server) + _pem(ca))
    return pin(server)


def pin(certificate: x509.Certificate) -> str:
    """``sha256//...`` of the certificate's public key, as curl's ``--pinnedpubkey`` wants it."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass  # no address: a host name
    try:
        return x509.DNSName(name.encode("idna").decode())
    except UnicodeError:
        raise InputError(f"--name {name!r} is neither a host name nor an IP address") from None


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), None)
        except ValueError as error:
            raise InputError(f"{path} is no private key: {error}") from error
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise InputError(f"{path} is no elliptic-curve key: use another folder")
        return found
    made = ec.generate_private_key(ec.SECP256R1())
    text = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, text.decode())
    return made


def _builder(subject: str, days: int, now: datetime.datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    name = "Jangkau collector authority"
    return (
        _builder(name, CA_DAYS, now)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
    now: datetime.datetime,
) -> x509.Certificate:
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _builder("Jangkau collector", SERVER_DAYS, now)
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server_use, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
