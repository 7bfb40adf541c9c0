"""Packages for an authority lie in a folder under names that lead to nobody."""

from pathlib import Path

import msgspec
import pyrage
import pytest
from tests.fakes.cybertip_store import HandClock

from nightlight.adapters.package_age import AgePacker, verify_package
from nightlight.adapters.package_box import DirectoryPackageBox
from nightlight.preserve.package import SigningKey

KEY = SigningKey(b"an audit key that is thirty-two.")
TIP = "tip_quibble"


@pytest.fixture
def box(tmp_path: Path) -> DirectoryPackageBox:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    return DirectoryPackageBox(
        folder=tmp_path, recipient=recipient, packer=AgePacker(), key=KEY, clock=HandClock()
    )


def put(box: DirectoryPackageBox, content: bytes) -> str:
    return box.put(TIP, iter([("report.xml", iter([content]))]))


def test_a_package_written_again_is_in_place_of_the_one_before(
    box: DirectoryPackageBox, tmp_path: Path
) -> None:
    receipts = [msgspec.json.decode(put(box, content)) for content in (b"zorble", b"flux")]
    [package] = tmp_path.glob("[!.]*")
    assert [one["package"] for one in receipts] == [package.name] * 2
    manifest = verify_package(package, public=KEY.public)
    assert {one.name: one.sha256 for one in manifest.members} == receipts[1]["members"]
    assert TIP.encode() not in package.name.encode() + package.read_bytes()
    assert KEY.name_of(TIP) != SigningKey(b"another key").name_of(TIP)


def test_what_lies_there_under_a_former_name_is_replaced(
    box: DirectoryPackageBox, tmp_path: Path
) -> None:
    (tmp_path / f"{TIP}.tar").write_bytes(b"quibble")
    put(box, b"zorble")
    assert [one.stem for one in tmp_path.glob("[!.]*")] == [KEY.name_of(TIP)]


@pytest.mark.parametrize("former", [False, True])
def test_nothing_is_left_of_what_is_removed(
    box: DirectoryPackageBox, tmp_path: Path, *, former: bool
) -> None:
    if former:
        (tmp_path / f"{TIP}.tar").write_bytes(b"quibble")
    else:
        put(box, b"zorble")
    box.remove(TIP)
    assert list(tmp_path.iterdir()) == []


def test_what_was_fetched_is_known_to_be_fetched_and_is_the_only_one(
    box: DirectoryPackageBox, tmp_path: Path
) -> None:
    receipt = put(box, b"zorble")
    [package] = tmp_path.glob("*.tar")
    package.unlink()
    assert box.remove(TIP) == box.remove(TIP) == receipt
    assert put(box, b"flux") == receipt
    assert list(tmp_path.glob("*.tar")) == []


def test_a_process_that_dies_while_it_takes_a_package_back_or_before_it_offers_one(
    box: DirectoryPackageBox, tmp_path: Path
) -> None:
    put(box, b"zorble")
    [package] = tmp_path.glob("*.tar")
    package.rename(tmp_path / f".{package.stem}.partial")
    assert box.remove(TIP) == ""
    assert list(tmp_path.iterdir()) == []
