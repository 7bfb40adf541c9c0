"""Where tips are filed: what the settings name, built from adapters."""

from nightlight.adapters.cybertipline import HttpCyberTipline
from nightlight.adapters.package_age import AgePacker
from nightlight.adapters.package_box import DirectoryPackageBox
from nightlight.adapters.schema_file import FileSchemaCache
from nightlight.audit.clock import Clock
from nightlight.model.cybertip import Destination
from nightlight.model.filing import Line
from nightlight.preserve.package import SigningKey
from nightlight.report.live_schema import LiveSchema
from nightlight.report.pack import PackageFiler
from nightlight.report.ports import TipFiler
from nightlight.report.submit import Filer
from nightlight.services.filing import Filers, StoredTips, VaultMedia
from nightlight.settings import Settings


def build_cybertipline(settings: Settings) -> HttpCyberTipline | None:
    """Return the client of NCMEC's CyberTipline, None where none is configured."""
    if settings.cybertipline is None:
        return None
    return HttpCyberTipline(
        base_url=settings.cybertipline.url,
        username=settings.cybertipline.username,
        password=str(settings.cybertipline.password),
        timeout_s=settings.cybertipline.timeout_s,
    )


def line_of(settings: Settings) -> Line:
    """Return which CyberTipline is in force; one without an address where none is configured."""
    if settings.cybertipline is None:
        return Line()
    return Line(
        address=settings.cybertipline.url.rstrip("/"), formerly=settings.cybertipline.formerly
    )


def build_live_schema(
    settings: Settings, cybertipline: HttpCyberTipline | None, clock: Clock
) -> LiveSchema | None:
    """Return the schema as the CyberTipline has it now, None where none is configured."""
    if cybertipline is None:
        return None
    cache = FileSchemaCache(settings.schema_file, line=line_of(settings).address)
    return LiveSchema(fetch=cybertipline.schema, clock=clock, cache=cache)


def build_filers(
    settings: Settings,
    store: StoredTips,
    media: VaultMedia,
    *,
    line: tuple[HttpCyberTipline, LiveSchema] | None,
    key: bytes,
    clock: Clock,
) -> Filers | None:
    """Return what files tips with every place that is configured, None where there is none."""
    filers: list[TipFiler] = []
    if line is not None:
        destination, schema = line
        filers.append(
            Filer(
                store=store,
                destination=destination,
                media=media,
                reporter=settings.reporter,
                clock=clock,
                schema=schema,
                line=line_of(settings),
            )
        )
    if settings.hotline is not None:
        box = DirectoryPackageBox(
            folder=settings.hotline.folder,
            recipient=settings.hotline.recipient,
            packer=AgePacker(),
            key=SigningKey(key),
            clock=clock,
        )
        filers.append(
            PackageFiler(
                store=store,
                box=box,
                media=media,
                reporter=settings.reporter,
                clock=clock,
                name=Destination.HOTLINE,
                line=settings.hotline.recipient,
            )
        )
    return Filers(*filers) if filers else None
