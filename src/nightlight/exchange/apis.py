"""The kinds of exchanges there are, and what each needs to be told."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.model.bank import Opinion

#: Where each API is, unless the option ``url`` says otherwise.
NCMEC_URL = "https://report.cybertip.org/hashsharing"
STOPNCII_URL = "https://api.stopncii.org/v1"
THREATEXCHANGE_URL = "https://graph.facebook.com/v26.0"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ApiField(Struct, frozen=True, kw_only=True):
    """One thing that an exchange is told.

    Attributes:
        kind: "string", "number" or "set_of_number", for whoever makes a form of it.
    """

    name: str
    help: str
    kind: str = "string"
    required: bool = False
    default: str = ""


class Api(Struct, frozen=True, kw_only=True):
    """A kind of exchange; names are those that HMA's interface has for them.

    Attributes:
        opinions: what the exchange can be told.
    """

    name: str
    title: str
    options: tuple[ApiField, ...] = ()
    credentials: tuple[ApiField, ...] = ()
    opinions: frozenset[Opinion] = frozenset()

    def check(self, options: Mapping[str, str], credentials: Collection[str] | None) -> None:
        """Return if these are known and enough; None for credentials that come from elsewhere.

        Raises:
            InvalidInput: one is missing, unknown, or an address that is not safe to use.
        """
        _check_names(self.options, options, "option")
        if credentials is not None:
            _check_names(self.credentials, credentials, "credential")
        if options.get("url"):
            _check_url(options["url"])

    def option(self, options: Mapping[str, str], name: str) -> str:
        """Return what was told, or the default."""
        field = next(one for one in self.options if one.name == name)
        return options.get(name) or field.default


def _check_names(fields: tuple[ApiField, ...], given: Collection[str], what: str) -> None:
    known = {field.name for field in fields}
    for name in given:
        if name not in known:
            hint = f"one of {', '.join(sorted(known))}" if known else "there are none"
            raise InvalidInput(f"not a {what} of this exchange", field=name, hint=hint)
    for field in fields:
        if field.required and field.name not in given:
            raise InvalidInput("is missing", field=field.name, hint=field.help)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, 0
        parts = urlsplit("")
    local = parts.scheme == "http" and host in _LOOPBACK
    if not host or port == 0 or (parts.scheme != "https" and not local):
        hint = "an https:// address (http:// only on this machine)"
        raise InvalidInput("not the address of an exchange", field="url", hint=hint)
    if parts.query or parts.fragment or parts.username or parts.password:
        hint = "scheme, host, port and path, no more"
        raise InvalidInput("not the address of an exchange", field="url", hint=hint)


def _url(default: str) -> ApiField:
    return ApiField(name="url", help="Where the exchange is.", default=default)


_OVERLAP = ApiField(
    name="overlap_s",
    help="Seconds before the checkpoint read again.",
    kind="number",
    default="300",
)

NCMEC = Api(
    name="ncmec",
    title="NCMEC Hash Sharing v2",
    opinions=frozenset({Opinion.POSITIVE, Opinion.NEGATIVE}),
    options=(
        _url(NCMEC_URL),
        ApiField(
            name="overlap_s",
            help="Seconds before the checkpoint that are read again: entries can appear late.",
            kind="number",
            default="3600",
        ),
        ApiField(
            name="only_members",
            help="Ids of members, comma-separated; others are left out.",
            kind="set_of_number",
        ),
        ApiField(
            name="negative_reason",
            help="Name or GUID of the reason that negative feedback gives, if there are several.",
        ),
    ),
    credentials=(
        ApiField(name="user", help="User name at NCMEC's hash sharing.", required=True),
        ApiField(name="password", help="Its password.", required=True),
    ),
)

STOPNCII = Api(
    name="stop_ncii",
    title="StopNCII",
    opinions=frozenset({Opinion.POSITIVE, Opinion.NEGATIVE}),
    options=(
        _url(STOPNCII_URL),
        _OVERLAP,
        ApiField(name="own_name", help="This platform's name at StopNCII: its feedback is ours."),
    ),
    credentials=(
        ApiField(name="subscription_key", help="Azure API Management key.", required=True),
        ApiField(name="fetch_function_key", help="Key of FetchHashes.", required=True),
        ApiField(name="feedback_function_key", help="Key of SubmitFeedback, to send opinions."),
    ),
)

THREATEXCHANGE = Api(
    name="fb_threatexchange",
    title="Meta ThreatExchange",
    opinions=frozenset(Opinion),
    options=(
        _url(THREATEXCHANGE_URL),
        ApiField(
            name="privacy_group", help="Id of the privacy group.", kind="number", required=True
        ),
        _OVERLAP,
    ),
    credentials=(
        ApiField(name="api_token", help="Access token: application id, |, secret.", required=True),
    ),
)

SAMPLE = Api(name="sample", title="The library's published example hashes, for tests")


def offered(*, sample: bool) -> Mapping[str, Api]:
    """Return every API by name; the sample only where test hooks are on."""
    apis = (NCMEC, STOPNCII, THREATEXCHANGE, *((SAMPLE,) if sample else ()))
    return {api.name: api for api in apis}
