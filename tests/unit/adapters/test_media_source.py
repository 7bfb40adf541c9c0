"""An event cannot make Nightlight read what the operator has not named."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest
from tests.fakes.http_server import LoopbackServer

from nightlight.adapters.media_download import DownloadLimits
from nightlight.adapters.media_source import ConfiguredMediaSource
from nightlight.errors import InvalidInput, NightlightError, NotPermitted, Unavailable

SECRET = "zorbleflux-secret"
ALLOWED = "https://cdn.example.test"
QUICK = DownloadLimits(timeout_s=2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.txt").write_text(SECRET)
    (tmp_path / "media-evil").mkdir()
    (tmp_path / "media-evil" / "a.png").write_text(SECRET)
    root = tmp_path / "media"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "a.png").write_bytes(b"picture")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "up").symlink_to(tmp_path)
    (root / "inner.png").symlink_to(root / "folder" / "a.png")
    os.mkfifo(root / "pipe")
    return root


def source_below(root: Path | None, *, max_bytes: int = 100) -> ConfiguredMediaSource:
    limits = DownloadLimits(max_bytes=max_bytes)
    return ConfiguredMediaSource(root=root, origins=(ALLOWED,), limits=limits)


@pytest.mark.parametrize("name", ["folder/a.png", "./folder/../folder/a.png", "inner.png"])
def test_file_below_the_root_is_read(root: Path, name: str) -> None:
    assert source_below(root).fetch(name).read_all() == b"picture"


OUTSIDE = [
    "../outside.txt",
    "folder/../../outside.txt",
    "../media-evil/a.png",
    "link.txt",
    "up/outside.txt",
    "/etc/hostname",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_path_that_leaves_the_root_is_refused(root: Path, name: str) -> None:
    with pytest.raises(NotPermitted, match="leaves the media root"):
        source_below(root).fetch(name)


@pytest.mark.parametrize("name", ["missing.png", "folder", ".", "pipe", "a\x00b", "x" * 5000])
def test_what_is_no_file_cannot_be_read(root: Path, name: str) -> None:
    with pytest.raises(Unavailable):
        source_below(root).fetch(name)


def test_percent_signs_are_part_of_the_name(root: Path) -> None:
    with pytest.raises(Unavailable):
        source_below(root).fetch("%2e%2e/outside.txt")


def test_without_a_root_no_file_is_read(root: Path) -> None:
    with pytest.raises(NotPermitted, match="no media root"):
        source_below(None).fetch(str(root / "folder" / "a.png"))


def test_file_larger_than_allowed_is_refused(root: Path) -> None:
    (root / "large.bin").write_bytes(b"x" * 101)
    with pytest.raises(InvalidInput, match="larger than allowed"):
        source_below(root).fetch("large.bin")
    (root / "large.bin").write_bytes(b"x" * 100)
    assert source_below(root).fetch("large.bin").size == 100


ELSEWHERE = {
    "a file": "file:///etc/hostname",
    "another scheme": "ftp://cdn.example.test/a.png",
    "plain instead of TLS": "http://cdn.example.test/a.png",
    "another host": "https://evil.example.test/a.png",
    "another port": "https://cdn.example.test:8443/a.png",
    "subdomain": "https://a.cdn.example.test/a.png",
    "longer name": "https://cdn.example.test.evil.example.test/a.png",
    "trailing dot": "https://cdn.example.test./a.png",
    "host as user": "https://cdn.example.test@evil.example.test/a.png",
    "host as user and password": "https://cdn.example.test:443@evil.example.test/a.png",
    "user at the host": "https://quib:ble@cdn.example.test/a.png",
    "backslash": "https://evil.example.test\\@cdn.example.test/a.png",
    "no scheme": "//cdn.example.test/a.png",
    "no host": "https:///a.png",
    "loopback": "http://127.0.0.1/latest",
    "loopback in IPv6": "http://[::1]/latest",
    "IPv4 in IPv6": "http://[::ffff:169.254.169.254]/latest",
    "loopback in decimal": "http://2130706433/latest",
    "loopback in short": "http://127.1/latest",
    "cloud metadata": "http://169.254.169.254/latest/meta-data",
    "data": "data:text/plain,quibble",
    "script": "javascript:quibble",
}


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_place_that_the_operator_has_not_named_is_refused(root: Path, url: str) -> None:
    with pytest.raises(NotPermitted, match="this origin"):
        source_below(root).fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.test\t/a",
        "https://cdn.example.test:99999999/a",
        "http://[::1/a",
        "http://0177.0.0.1/latest",
    ],
    ids=["tab", "port", "bracket", "loopback in octal"],
)
def test_what_is_no_address_is_refused(root: Path, url: str) -> None:
    with pytest.raises((InvalidInput, NotPermitted)):
        source_below(root).fetch(url)


@pytest.mark.parametrize("url", [*OUTSIDE, *ELSEWHERE.values(), "missing.png"])
def test_refusal_leaks_neither_the_place_nor_what_lies_there(root: Path, url: str) -> None:
    with pytest.raises(NightlightError) as caught:
        source_below(root).fetch(url)
    told = f"{caught.value} {caught.value!r}"
    assert SECRET not in told
    assert str(root) not in told
    assert url not in told


def test_allowed_origin_is_fetched(server: LoopbackServer) -> None:
    server.body = b"picture"
    source = ConfiguredMediaSource(root=None, origins=(server.origin.upper(),))
    assert source.fetch(f"{server.origin}/a.png?size=1").read_all() == b"picture"
    assert [asked.path for asked in server.asked] == ["/a.png?size=1"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(server: LoopbackServer, status: int) -> None:
    server.status, server.headers = status, {"location": f"{server.origin}/elsewhere"}
    source = ConfiguredMediaSource(root=None, origins=(server.origin,))
    with pytest.raises(Unavailable, match=f"answers {status}"):
        source.fetch(f"{server.origin}/a.png")
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [204, 404, 410, 429, 500, 503])
def test_answer_that_is_no_file_is_not_taken_for_one(server: LoopbackServer, status: int) -> None:
    server.status = status
    source = ConfiguredMediaSource(root=None, origins=(server.origin,))
    if status == 204:
        assert source.fetch(f"{server.origin}/a.png").read_all() == b""
    else:
        with pytest.raises(Unavailable):
            source.fetch(f"{server.origin}/a.png")


def test_body_larger_than_allowed_is_refused(server: LoopbackServer) -> None:
    server.body = b"x" * 200_000
    source = ConfiguredMediaSource(
        root=None, origins=(server.origin,), limits=DownloadLimits(max_bytes=199_999)
    )
    with pytest.raises(InvalidInput, match="larger than allowed"):
        source.fetch(f"{server.origin}/a.png")


def test_body_that_says_it_is_larger_than_allowed_is_not_waited_for(
    server: LoopbackServer,
) -> None:
    server.body = b"not as much as it says"
    server.headers = {"content-length": str(1 << 40)}
    source = ConfiguredMediaSource(root=None, origins=(server.origin,), limits=QUICK)
    with pytest.raises(InvalidInput, match="larger than allowed"):
        source.fetch(f"{server.origin}/a.png")


def test_server_that_is_gone_is_unavailable(server: LoopbackServer) -> None:
    source = ConfiguredMediaSource(root=None, origins=("http://127.0.0.1:1",), limits=QUICK)
    with pytest.raises(Unavailable, match="fails: ConnectError"):
        source.fetch("http://127.0.0.1:1/a.png")
    assert server.asked == []


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://cdn.example.test:443", "https://cdn.example.test/a.png"),
        ("https://cdn.example.test", "https://cdn.example.test:443/a.png"),
        ("http://[::1]:1", "http://[::1]:1/a.png"),
    ],
    ids=["port in the origin", "port in the address", "IPv6"],
)
def test_same_place_written_otherwise_is_the_same_place(origin: str, url: str) -> None:
    source = ConfiguredMediaSource(root=None, origins=(origin,), limits=QUICK)
    with pytest.raises(Unavailable):
        source.fetch(url)


def test_origin_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(InvalidInput, match="not an origin"):
        ConfiguredMediaSource(root=None, origins=("https://cdn.example.test\t",))


def test_large_file_is_fetched_and_nothing_of_it_lies_in_the_folder(
    server: LoopbackServer, tmp_path: Path
) -> None:
    server.body = SECRET.encode() * 600_000
    source = ConfiguredMediaSource(root=None, origins=(server.origin,), spool=tmp_path)
    with source.fetch(f"{server.origin}/a.mp4") as file:
        assert file.size == len(server.body)
        assert file.shared() is not None
        assert list(tmp_path.iterdir()) == []
        assert file.sha256 == hashlib.sha256(server.body).hexdigest()


def test_large_file_below_the_root_is_fetched(root: Path) -> None:
    (root / "large.mp4").write_bytes(b"quibble" * 2_000_000)
    source = ConfiguredMediaSource(root=root, origins=())
    with source.fetch("large.mp4") as file:
        assert (file.size, file.shared() is not None) == (14_000_000, True)


def test_answer_that_is_packed_is_not_taken_for_the_file(server: LoopbackServer) -> None:
    server.body, server.headers = gzip.compress(b"picture"), {"content-encoding": "gzip"}
    source = ConfiguredMediaSource(root=None, origins=(server.origin,))
    with pytest.raises(Unavailable, match="packs its answer"):
        source.fetch(f"{server.origin}/a.png")
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_server_that_trickles_is_given_up(server: LoopbackServer) -> None:
    server.body = b"x" * 200_000
    limits = DownloadLimits(whole_s=0, least_bytes_per_s=1 << 60)
    source = ConfiguredMediaSource(root=None, origins=(server.origin,), limits=limits)
    with pytest.raises(Unavailable, match="too slow"):
        source.fetch(f"{server.origin}/a.png")


def test_large_file_may_take_longer(server: LoopbackServer) -> None:
    server.body = b"x" * 200_000
    limits = DownloadLimits(whole_s=0, least_bytes_per_s=1000)
    source = ConfiguredMediaSource(root=None, origins=(server.origin,), limits=limits)
    assert source.fetch(f"{server.origin}/a.png").size == 200_000
