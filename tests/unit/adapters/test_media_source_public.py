"""Any public address is fetched, and no other: whatever a name, a redirect or a resolver says."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes.http_server import LoopbackServer, serve

from nightlight.adapters.media_download import DownloadLimits
from nightlight.adapters.media_source_public import Address, PublicMediaSource, resolve
from nightlight.adapters.public_address import is_public
from nightlight.errors import InvalidInput, NightlightError, NotPermitted, Unavailable

PUBLIC = "93.184.216.34"
QUICK = DownloadLimits(timeout_s=0.05, whole_s=5)
HOST = "cdn.example.test"


class Names:
    """A resolver that answers as told, one answer after the other, and remembers the questions."""

    def __init__(self, *answers: tuple[str, ...] | str) -> None:
        self.answers = [(one,) if isinstance(one, str) else one for one in answers]
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append((host, port))
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [ip_address(one) for one in answer]


NOT_PUBLIC = {
    "this host": "0.0.0.0",  # noqa: S104  what is tested
    "this network": "0.1.2.3",
    "loopback": "127.0.0.1",
    "other loopback": "127.255.255.254",
    "private ten": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 192": "192.168.0.1",
    "link-local": "169.254.0.1",
    "cloud metadata": "169.254.169.254",
    "cloud metadata of one": "100.100.100.200",
    "cloud metadata of another": "192.0.0.192",
    "cloud services by a public number": "168.63.129.16",
    "carrier's own": "100.64.0.1",
    "protocols": "192.0.0.1",
    "documentation": "192.0.2.1",
    "benchmarks": "198.18.0.1",
    "relays to IPv6": "192.88.99.1",
    "multicast": "224.0.0.1",
    "global multicast": "232.1.1.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "nothing in IPv6": "::",
    "loopback in IPv6": "::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped metadata": "::ffff:169.254.169.254",
    "mapped public": "::ffff:93.184.216.34",
    "compatible loopback": "::127.0.0.1",
    "translated loopback": "64:ff9b::7f00:1",
    "translated metadata": "64:ff9b::a9fe:a9fe",
    "translated at home": "64:ff9b:1::7f00:1",
    "six to four": "2002:7f00:1::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "ORCHID": "2001:20::1",
    "documentation in IPv6": "2001:db8::1",
    "newer documentation": "3fff::1",
    "link-local in IPv6": "fe80::1",
    "site-local": "fec0::1",
    "unique local": "fd00::1",
    "metadata in IPv6": "fd00:ec2::254",
    "multicast in IPv6": "ff02::1",
    "discard": "100::1",
    "never given out": "4000::1",
}


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    names = Names(address)
    with pytest.raises(NotPermitted, match="not fetched from this place"):
        PublicMediaSource(resolve=names, limits=QUICK).fetch(f"http://{HOST}/a.png")
    assert names.asked == [(HOST, 80)]


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "2a00:1450::1"])
def test_public_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a",
        "http://127.1/a",
        "http://2130706433/a",
        "http://0x7f000001/a",
        "http://0/a",
        "http://localhost/a",
        "http://[::1]/a",
        "http://[::ffff:127.0.0.1]/a",
        "http://[64:ff9b::7f00:1]/a",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_inside_address_however_written_is_refused_by_the_system_s_resolver(url: str) -> None:
    with pytest.raises((NotPermitted, Unavailable, InvalidInput)) as caught:
        PublicMediaSource(limits=QUICK).fetch(url)
    assert "fails" not in str(caught.value), "nothing was asked for"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://cdn.example.test/a",
        "file:///etc/hostname",
        "gopher://cdn.example.test/a",
        "data:text/plain,quibble",
        "javascript:quibble",
        "/etc/hostname",
        "//cdn.example.test/a",
        "",
        "http:///a",
        "https://quib:ble@cdn.example.test/a",
        "https://cdn.example.test\t/a",
        "http://[::1/a",
    ],
)
def test_what_is_no_web_address_is_refused_before_it_is_resolved(url: str) -> None:
    names = Names(PUBLIC)
    with pytest.raises(InvalidInput):
        PublicMediaSource(resolve=names, limits=QUICK).fetch(url)
    assert names.asked == []


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 8443])
def test_other_ports_are_refused_before_the_name_is_resolved(port: int) -> None:
    names = Names(PUBLIC)
    with pytest.raises(NotPermitted, match="this port"):
        PublicMediaSource(resolve=names, limits=QUICK).fetch(f"http://{HOST}:{port}/a")
    assert names.asked == []


def test_name_without_an_address_is_unavailable() -> None:
    def nobody(_host: str, _port: int) -> list[Address]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(Unavailable, match="has no address"):
        PublicMediaSource(resolve=nobody, limits=QUICK).fetch(f"http://{HOST}/a")


def source_to(server: LoopbackServer, *more: str, names: Names | None = None) -> PublicMediaSource:
    port = server.origin.rpartition(":")[2]
    allowed = tuple(f"{host}:{port}" for host in (HOST, *more))
    return PublicMediaSource(allow_hosts=allowed, resolve=names or Names("127.0.0.1"), limits=QUICK)


def at(server: LoopbackServer, path: str, *, host: str = HOST) -> str:
    return f"http://{host}:{server.origin.rpartition(':')[2]}{path}"


def test_host_of_the_operator_s_own_is_fetched_by_its_name(server: LoopbackServer) -> None:
    server.body = b"picture"
    with source_to(server).fetch(at(server, "/a.png?size=1")) as file:
        assert file.read_all() == b"picture"
    [asked] = server.asked
    assert asked.path == "/a.png?size=1"
    assert asked.headers["host"] == at(server, "").removeprefix("http://")


def test_host_allowed_at_one_port_is_not_allowed_at_another(server: LoopbackServer) -> None:
    for url in (f"http://{HOST}/a", f"http://{HOST}:22/a"):
        with pytest.raises(NotPermitted):
            source_to(server).fetch(url)


def test_host_allowed_by_name_may_be_anywhere_but_at_the_web_s_ports() -> None:
    source = PublicMediaSource(allow_hosts=(HOST,), resolve=Names("127.0.0.1"), limits=QUICK)
    with pytest.raises(Unavailable, match="fails: Connect"):
        source.fetch(f"http://{HOST}/a")
    with pytest.raises(NotPermitted, match="this port"):
        source.fetch(f"http://{HOST}:8080/a")


def test_other_host_at_the_same_address_is_refused(server: LoopbackServer) -> None:
    with pytest.raises(NotPermitted):
        source_to(server).fetch(at(server, "/a", host="evil.example.test"))
    assert server.asked == []


def test_name_is_resolved_once_and_the_connection_goes_to_what_was_checked(
    server: LoopbackServer,
) -> None:
    """A name that turns to loopback after the check (DNS rebinding) is not followed there."""
    names = Names("127.0.0.1", "127.0.0.2")
    with source_to(server, names=names).fetch(at(server, "/a")):
        assert len(names.asked) == 1
    assert len(server.asked) == 1


def test_name_that_turns_inside_is_refused_at_the_next_look() -> None:
    names = Names(PUBLIC, "127.0.0.1")
    source = PublicMediaSource(resolve=names, limits=QUICK)
    with pytest.raises(Unavailable):  # There is no way to the public network in a test.
        source.fetch(f"http://{HOST}/a")
    with pytest.raises(NotPermitted):
        source.fetch(f"http://{HOST}/a")
    assert len(names.asked) == 2


def test_only_the_public_ones_of_several_addresses_are_asked() -> None:
    names = Names(("127.0.0.1", "10.0.0.1", "::1"))
    with pytest.raises(NotPermitted):
        PublicMediaSource(resolve=names, limits=QUICK).fetch(f"http://{HOST}/a")


@pytest.fixture
def onward() -> Iterator[LoopbackServer]:
    with serve() as told:
        yield told


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1/a",
        "http://169.254.169.254/latest",
        "http://[::1]/a",
        "http://localhost:22/a",
        "https://evil.example.test:8443/a",
    ],
)
def test_redirect_to_a_place_inside_is_refused(server: LoopbackServer, place: str) -> None:
    server.status, server.headers = 302, {"location": place}
    names = Names("127.0.0.1")
    with pytest.raises(NotPermitted):
        source_to(server, names=names).fetch(at(server, "/a"))
    assert len(server.asked) == 1


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://cdn.example.test/a"])
def test_redirect_to_another_scheme_is_refused(server: LoopbackServer, place: str) -> None:
    server.status, server.headers = 302, {"location": place}
    with pytest.raises(InvalidInput):
        source_to(server).fetch(at(server, "/a"))


def test_redirect_to_another_allowed_host_is_resolved_and_followed(
    server: LoopbackServer, onward: LoopbackServer
) -> None:
    other = "media.example.test"
    server.status, server.headers = 302, {"location": at(onward, "/b.png", host=other)}
    onward.body = b"picture"
    names = Names("127.0.0.1")
    ports = [one.origin.rpartition(":")[2] for one in (server, onward)]
    source = PublicMediaSource(
        allow_hosts=(f"{HOST}:{ports[0]}", f"{other}:{ports[1]}"), resolve=names, limits=QUICK
    )
    with source.fetch(at(server, "/a.png")) as file:
        assert file.read_all() == b"picture"
    assert [host for host, _ in names.asked] == [HOST, other]
    assert onward.asked[0].headers["host"] == f"{other}:{ports[1]}"


def test_redirect_within_the_host_is_followed_at_most_three_times(server: LoopbackServer) -> None:
    server.status, server.headers = 307, {"location": "/again"}
    with pytest.raises(Unavailable, match="redirects too often"):
        source_to(server).fetch(at(server, "/a"))
    assert [asked.path for asked in server.asked] == ["/a", "/again", "/again", "/again"]


def test_file_larger_than_allowed_is_refused(server: LoopbackServer) -> None:
    server.body = b"x" * 200_000
    port = server.origin.rpartition(":")[2]
    source = PublicMediaSource(
        allow_hosts=(f"{HOST}:{port}",),
        resolve=Names("127.0.0.1"),
        limits=DownloadLimits(max_bytes=199_999),
    )
    with pytest.raises(InvalidInput, match="larger than allowed"):
        source.fetch(at(server, "/a"))


def test_proxy_of_the_environment_is_not_used(
    server: LoopbackServer, onward: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", onward.origin)
    monkeypatch.setenv("ALL_PROXY", onward.origin)
    source_to(server).fetch(at(server, "/a")).close()
    assert (len(server.asked), len(onward.asked)) == (1, 0)


def test_refusal_tells_neither_the_address_nor_what_is_there() -> None:
    for address in ("10.1.2.3", "169.254.169.254", "fd00:ec2::254"):
        with pytest.raises(NightlightError) as caught:
            PublicMediaSource(resolve=Names(address), limits=QUICK).fetch(f"http://{HOST}/quibble")
        told = f"{caught.value} {caught.value!r}"
        assert address not in told
        assert "quibble" not in told


def test_system_s_resolver_answers_with_addresses() -> None:
    assert ip_address("127.0.0.1") in resolve("localhost", 80) + resolve("127.0.0.1", 80)


def certificate_for(name: str, folder: Path) -> tuple[Path, Path]:
    """Return a new certificate for a host name, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[int, Path, list[str | None]]]:
    """A TLS server for ``HOST`` on loopback: its port, its certificate, the names asked for."""
    certificate, secret = certificate_for(HOST, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    wanted: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: wanted.append(name)
    with tls_answering(context) as port:
        yield port, certificate, wanted


@contextmanager
def tls_answering(context: ssl.SSLContext) -> Iterator[int]:
    """Answer one small file over TLS to everyone; yield the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer_all() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as link:
                link.recv(65536)
                link.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\npicture")

    thread = threading.Thread(target=answer_all)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def test_certificate_is_checked_against_the_name_and_not_the_address(
    tls_server: tuple[int, Path, list[str | None]],
) -> None:
    port, certificate, wanted = tls_server
    source = PublicMediaSource(
        allow_hosts=(f"{HOST}:{port}",),
        resolve=Names("127.0.0.1"),
        tls=trusting(certificate),
    )
    with source.fetch(f"https://{HOST}:{port}/a.png") as file:
        assert file.read_all() == b"picture"
    assert wanted == [HOST]


def test_certificate_of_another_host_is_refused(
    tls_server: tuple[int, Path, list[str | None]],
) -> None:
    port, certificate, _ = tls_server
    other = "other.example.test"
    source = PublicMediaSource(
        allow_hosts=(f"{other}:{port}",), resolve=Names("127.0.0.1"), tls=trusting(certificate)
    )
    with pytest.raises(Unavailable, match="fails: ConnectError"):
        source.fetch(f"https://{other}:{port}/a.png")


def test_certificate_that_nobody_vouches_for_is_refused(
    tls_server: tuple[int, Path, list[str | None]],
) -> None:
    port, _, _ = tls_server
    source = PublicMediaSource(allow_hosts=(f"{HOST}:{port}",), resolve=Names("127.0.0.1"))
    with pytest.raises(Unavailable, match="fails: ConnectError"):
        source.fetch(f"https://{HOST}:{port}/a.png")
