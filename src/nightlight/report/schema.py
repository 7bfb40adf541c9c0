"""XML from a partner is parsed without entities or network, and checked against a schema."""

from functools import lru_cache

from lxml import etree

from nightlight.errors import InvalidInput

_XS = "{http://www.w3.org/2001/XMLSchema}"
#: Parts of a schema that would make the parser read something else.
_REACHES_OUT = tuple(f"{_XS}{name}" for name in ("import", "include", "redefine"))


def parsed(document: bytes) -> etree._Element:
    """Return the root element of a document that declares no document type.

    Raises:
        InvalidInput: it is no well-formed XML, or it declares a document type.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        # The parser's message can quote the document; the line is enough to find the fault.
        raise InvalidInput(f"the document is not well-formed XML, line {error.lineno}") from None
    info = root.getroottree().docinfo
    if info.doctype:  # type: ignore[union-attr]  # missing in lxml-stubs
        raise InvalidInput("the document declares a document type")
    return root


class Schema:
    """An XML schema, compiled once."""

    def __init__(self, schema: bytes) -> None:
        """Compile ``schema``.

        Raises:
            InvalidInput: it is no XML schema, or one that would read other documents.
        """
        root = parsed(schema)
        if next(root.iter(*_REACHES_OUT), None) is not None:
            raise InvalidInput("the schema refers to other documents")
        try:
            self._schema = etree.XMLSchema(root)
        except etree.XMLSchemaParseError:
            raise InvalidInput("the document is no usable XML schema") from None

    def check(self, document: bytes) -> None:
        """Return only if the document follows the schema.

        Raises:
            InvalidInput: it does not; names element, line and rule, never the value.
        """
        root = parsed(document)
        if self._schema.validate(root):
            return
        fault = self._schema.error_log[0]  # type: ignore[index]  # untyped in lxml-stubs
        where = (fault.path or "").rpartition("/")[2] or str(root.tag)
        raise InvalidInput(
            f"the element breaks the schema, line {fault.line}: {fault.type_name}", field=where
        )


@lru_cache(maxsize=4)
def compiled(schema: bytes) -> Schema:
    """Return the schema, compiled at most once a process while it stays the same.

    Raises:
        InvalidInput: as ``Schema``.
    """
    return Schema(schema)


def validate(document: bytes, schema: bytes) -> None:
    """Return only if ``document`` follows ``schema``.

    Raises:
        InvalidInput: either is unusable, or the document breaks the schema; names element and
            line.
    """
    compiled(schema).check(document)
