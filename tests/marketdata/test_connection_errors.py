"""Each way that a connection fails is said in words that name the venue, the host and what to do; real sockets where one can."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from arbtui.marketdata.connection_errors import FAILURES, Failure, SocketLost, failure_of, retry_after_s
from arbtui.model.errors import RateLimited


async def failure(scheme: str, handler: str, context: ssl.SSLContext | None = None, timeout_s: float = 10.0) -> Failure:
    """What connecting to a local server fails with: one that hangs up, one that says nothing, one that speaks HTTP."""

    answering: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        if handler == "silent":
            await reader.read()
        elif handler == "page":
            await reader.read(4096)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(timeout_s):
            await session.ws_connect(url)
    except FAILURES as error:
        return failure_of("binance", url, error)
    finally:
        server.close()
        await asyncio.gather(*(task for task in answering if task is not None), return_exceptions=True)
    raise AssertionError("it connected")


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context


@pytest.mark.parametrize(
    ("scheme", "handler", "kind", "said"),
    [
        ("ws", "hang up", "connection", "trying again"),
        ("ws", "silent", "timeout", "no answer in time"),
        ("ws", "page", "handshake", "a web page answered instead of the stream"),
        ("wss", "hang up", "unreachable", "cannot be reached"),
        ("wss", "page", "tls", "no TLS connection"),
    ],
)
def test_what_a_server_does_wrong(scheme: str, handler: str, kind: str, said: str) -> None:
    told = asyncio.run(failure(scheme, handler, timeout_s=1.0 if handler == "silent" else 10.0))
    assert told.words.startswith("binance at 127.0.0.1:")
    assert said in told.words
    if scheme == "ws":
        assert told.kind == kind


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    told = asyncio.run(failure("wss", "silent", self_signed(tmp_path)))
    assert told.kind == "certificate"
    assert "its certificate is not trusted" in told.words
    assert "check the clock and what sits between" in told.words


def test_a_name_that_is_not_known() -> None:
    key = ConnectionKey("stream.example", 9443, True, True, None, None, None)
    told = failure_of("binance", "wss://stream.example:9443/stream", aiohttp.ClientConnectorDNSError(key, OSError(-2, "Name not known")))
    assert told.kind == "dns"
    assert "stream.example:9443: the name is not known" in told.words
    assert "[exchanges.binance.urls]" in told.words


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [(418, "banned", "120"), (429, "throttled", "3"), (403, "forbidden", None), (451, "region refused", None), (503, "unavailable", "7"),
     (500, "handshake", None)],
)  # fmt: skip
def test_refused_handshakes(status: int, kind: str, retry: str | None) -> None:
    headers = {} if retry is None else {"Retry-After": retry}
    request = aiohttp.RequestInfo(URL("ws://x"), "GET", headers={}, real_url=URL("ws://x"))  # type: ignore[arg-type]
    told = failure_of("upbit", "ws://x/", aiohttp.WSServerHandshakeError(request, (), status=status, headers=headers))  # type: ignore[arg-type]
    assert (told.kind, told.retry_after_s) == (kind, float(retry or 0))
    assert f"HTTP {status}" in told.words


def test_our_own_budget_and_a_lost_socket_have_their_own_kinds() -> None:
    assert failure_of("upbit", "ws://x/", RateLimited("upbit has banned requests", 3.0)).kind == "budget"
    assert failure_of("upbit", "ws://x/", SocketLost("cut", "the connection was cut")).kind == "cut"


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "nan", "inf", "1e12", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_that_makes_no_sense_is_none(value: str | None) -> None:
    assert retry_after_s(value) == 0.0
