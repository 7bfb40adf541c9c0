"""The DSA Transparency Database over HTTP: batches of statements, and what its answers mean.

A batch is taken whole or not at all. Where some statements break its rules, or are there already,
it names them; the others are submitted again.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from nightlight.errors import Unavailable
from nightlight.model.statement import Statement
from nightlight.report.statement_document import StatementOptions, document_of
from nightlight.report.statement_ports import Submitted

_LONGEST_REASON = 500


class HttpStatementDatabase:
    """Posts to ``/statements`` below a base address such as https://.../api/v1."""

    def __init__(
        self, *, url: str, token: str, options: StatementOptions, timeout_s: float
    ) -> None:
        self._url = f"{url.rstrip('/')}/statements"
        self._options = options
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        self._client = httpx.Client(headers=headers, timeout=timeout_s, follow_redirects=False)

    def submit(self, statements: Sequence[Statement]) -> Submitted:
        """Hand over statements; what is in none of the answer's parts waits.

        Raises:
            Unavailable: nothing is known of any; submit again.
        """
        documents = [document_of(one, self._options) for one in statements]
        try:
            answer = self._client.post(self._url, json={"statements": documents})
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise Unavailable(f"the DSA database does not answer: {name}") from error
        if answer.status_code == HTTPStatus.CREATED:
            return _taken(statements, answer)
        if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            return self._sorted_out(statements, answer)
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise Unavailable(
                "the DSA database does not take the token", hint="check NIGHTLIGHT_DSA_TOKEN"
            )
        raise Unavailable(f"the DSA database answers {answer.status_code}")

    def _sorted_out(self, statements: Sequence[Statement], answer: httpx.Response) -> Submitted:
        """Return which statements the database has or refuses; alone, a statement is meant."""
        errors = _object(_json(answer).get("errors"))
        there = set(map(str, _list(errors.get("existing_puids"))))
        known = {one.id for one in statements if one.published_as in there}
        refused = {
            one.id: _reason(_object(errors[f"statement_{place}"]))
            for place, one in enumerate(statements)
            if f"statement_{place}" in errors
        }
        if known or refused:
            return Submitted(receipts={}, known=frozenset(known), refused=refused)
        if len(statements) == 1:
            said = _reason(errors) or "the database refuses it and does not say why"
            return Submitted(receipts={}, refused={statements[0].id: said})
        half = len(statements) // 2
        parts = [self.submit(statements[:half]), self.submit(statements[half:])]
        return Submitted(
            receipts={**parts[0].receipts, **parts[1].receipts},
            known=parts[0].known | parts[1].known,
            refused={**parts[0].refused, **parts[1].refused},
        )


def _taken(statements: Sequence[Statement], answer: httpx.Response) -> Submitted:
    taken = [_object(one) for one in _list(_json(answer).get("statements"))]
    uuids = {str(one["puid"]): str(one.get("uuid", "")) for one in taken if "puid" in one}
    if not uuids:
        raise Unavailable("the DSA database took the statements and does not say which")
    receipts = {one.id: uuids[one.published_as] for one in statements if one.published_as in uuids}
    return Submitted(receipts=receipts, refused={})


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        return _object(msgspec.json.decode(answer.content))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable("the DSA database's answer cannot be read") from error


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _reason(errors: Mapping[str, Any]) -> str:
    """Return the names of the fields that are wrong, with what the database says of each."""
    said = (f"{name}: {' '.join(map(str, _list(why)))}".strip() for name, why in errors.items())
    return "; ".join(said)[:_LONGEST_REASON]
