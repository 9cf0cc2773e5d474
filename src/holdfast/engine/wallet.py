"""The certificates of one start of one engine: by which it speaks TLS (`ssl_client_authentication`), and by which it knows us.

An account that REQUIREs SSL is nobody's in an engine without a wallet. One that REQUIREs X509 is in one with a wallet that of who has a
certificate of the same authority, and nobody's otherwise, whatever its password (1045, measured). Each start gets an authority of its
own, made before the process is, whose key is kept nowhere: a certificate of another engine, or of an earlier start, opens nothing, and
where none was signed for us nobody has one.

    <engine>/wallet/                the engine's: the authority's certificate, its own and its key
    <account file>.ca.pem           ours, out of the engine's reach: the authority's certificate
    <account file>.client.pem       likewise: certificate, key, the authority's certificate

They are written anew before each start that is to have them and removed before each that is not, so what a kill left half written is
met by nobody. They are never in a set: an image has `store/` and `etc/` alone.
"""

import datetime
import shutil
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from holdfast import disk
from holdfast.errors import EngineError

CLIENT_NAME = "holdfast"
PARAMETERS = {"ssl_client_authentication": "True"}
"""What an engine with a wallet is started with."""
CLIENT_PARAMETERS = {"ob_ssl_invited_common_names": CLIENT_NAME}
"""And one that is to know us by a certificate. Its default, NONE, refuses every certificate (1045, measured)."""
_SERVER_NAME = "engine"
_AUTHORITY_NAME = "holdfast authority"
_BEFORE = datetime.timedelta(days=1)
_AFTER = datetime.timedelta(days=36_500)
"""Longer than a process lives: what ends a certificate is the engine's next start. A clock may be set back by a day."""


def argument() -> str:
    """Return the word of the command line by which an engine with a wallet is known."""
    name, value = next(iter(PARAMETERS.items()))
    return f"{name}={value}"


def mint(root: Path, *, authority_file: Path | None, client_file: Path | None) -> None:
    """Make the wallet of the stopped engine in `root` and ours of these files. Raises EngineError. Takes some 10 ms."""
    authority, server, client = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    authority_pem = _certificate(_AUTHORITY_NAME, authority, authority, is_authority=True)
    folder = _folder(root)
    remove(root)
    try:
        folder.mkdir(mode=0o700)
        for name, data in (
            ("ca.pem", authority_pem),
            ("server-cert.pem", _certificate(_SERVER_NAME, server, authority)),
            ("server-key.pem", _key_pem(server)),
        ):
            disk.write_file(folder / name, data)
        if authority_file is not None:
            disk.write_file(authority_file, authority_pem)
        if client_file is not None:
            client_pem = _certificate(CLIENT_NAME, client, authority) + _key_pem(client) + authority_pem
            disk.write_file(client_file, client_pem)
    except OSError as error:
        raise EngineError(f"the certificates of {root} can not be written: {error.strerror}") from error


def remove(root: Path) -> None:
    """Remove what an earlier start of the stopped engine in `root` had. Repeatable. Raises EngineError."""
    folder = _folder(root)
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()  # nothing of ours: the engine may write here
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EngineError(f"the certificates of {root} can not be removed: {error.strerror}") from error


def client_context(client_file: Path) -> ssl.SSLContext | None:
    """Return what a login with this client's certificate needs, None if there is no such file, or none that is whole."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the authority signs for one engine
    try:
        context.load_cert_chain(client_file)
        context.load_verify_locations(client_file)
    except OSError:  # SSLError is one: a file that a power cut has taken apart lets nobody in
        return None
    return context


def server_context(authority_file: Path) -> ssl.SSLContext | None:
    """Return what speaks TLS with an engine and shows no certificate; None if there is no such file, or none that is whole."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the authority signs for one engine
    try:
        context.load_verify_locations(authority_file)
    except OSError:
        return None
    return context


def _folder(root: Path) -> Path:
    return root / "wallet"


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey, *, is_authority: bool = False
) -> bytes:
    """Return a certificate of version 3, which the engine asks for."""
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(_AUTHORITY_NAME))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _AFTER)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(authority, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
