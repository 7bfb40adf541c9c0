"""Parsing and checking documents from partners."""

import pytest

from nightlight.errors import InvalidInput
from nightlight.report.schema import parsed, validate

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
SCHEMA = (
    f'<xs:schema {XS}><xs:element name="a"><xs:complexType><xs:sequence>'
    '<xs:element name="b" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
).encode()


def test_a_valid_document_passes() -> None:
    validate(b"<a><b>1</b></a>", SCHEMA)


def test_a_fault_names_element_and_line_but_not_the_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate(b"<a>\n\n<b>zorbleflux</b></a>", SCHEMA)
    assert caught.value.field == "b"
    assert "line 3" in str(caught.value)
    assert "zorbleflux" not in str(caught.value)


def test_an_unknown_root_is_refused() -> None:
    with pytest.raises(InvalidInput):
        validate(b"<z/>", SCHEMA)


@pytest.mark.parametrize("broken", [b"", b"<a>", b"<a>zorbleflux</b>", b"\xff\xfe\x00"])
def test_a_document_that_is_no_xml_is_refused_without_quoting_it(broken: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(broken)
    assert "zorbleflux" not in str(caught.value)


@pytest.mark.parametrize(
    "declared",
    [
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
    ],
)
def test_a_document_type_is_refused(declared: bytes) -> None:
    with pytest.raises(InvalidInput):
        parsed(declared)


@pytest.mark.parametrize("name", ["import", "include", "redefine"])
def test_a_schema_that_reaches_out_is_refused(name: str) -> None:
    schema = f'<xs:schema {XS}><xs:{name} schemaLocation="http://example.test/x.xsd"/></xs:schema>'
    with pytest.raises(InvalidInput, match="other documents"):
        validate(b"<a/>", schema.encode())


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(InvalidInput, match="schema"):
        validate(b"<a/>", b"<html/>")
