"""``nightlight simulate``: partners as separate processes, for the demo and for tests."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.serving import serve
from nightlight.simulate.cybertipline import cybertipline_app
from nightlight.simulate.dsa import dsa_app
from nightlight.simulate.exchange_ncmec import ncmec_app
from nightlight.simulate.exchange_stopncii import stopncii_app
from nightlight.simulate.exchange_threatexchange import threatexchange_app
from nightlight.simulate.faults import read_script
from nightlight.simulate.kms import kms_app
from nightlight.simulate.platform import platform_app
from nightlight.simulate.s3 import s3_app

app = typer.Typer(
    name="simulate",
    no_args_is_help=True,
    help="Run a simulated partner, with faults on request; nothing reaches a real one.",
)

Port = Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 for any free port.")]
Host = Annotated[str, typer.Option(help="The address to listen at.")]
State = Annotated[
    Path | None, typer.Option(help="SQLite file that survives restarts; without it, memory.")
]


@app.command()
def cybertipline(
    *,
    port: Port = 0,
    host: Host = "127.0.0.1",
    state: State = None,
    schema: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="NCMEC's XML schema; without it, our own."),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="What goes wrong, in order: a JSON list, or TOML with [[faults]].",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Also refuse what breaks a cross rule.")
    ] = False,
    username: Annotated[str, typer.Option(help="Whom to let in.")] = "sim",
    password: Annotated[str, typer.Option(help="With what.")] = "sim",  # noqa: S107  a simulator's
) -> None:
    """Run a simulated CyberTipline: base URL /ispws; /_state, /_faults, /_clock and /_schema."""
    simulator = cybertipline_app(
        faults=read_script(faults) if faults else (),
        strict=strict,
        state=str(state or ":memory:"),
        schema=schema.read_bytes() if schema else b"",
        username=username,
        password=password,
    )
    serve(simulator, name="simulated CyberTipline", host=host, port=port)


@app.command()
def platform(
    *,
    secret: Annotated[str, typer.Option(help="Standard Webhooks secret: whsec_ and base64.")],
    port: Port = 0,
    host: Host = "127.0.0.1",
    state: State = None,
    media_root: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder to serve under /media/."),
    ] = None,
) -> None:
    """Run a simulated platform: effects at /nightlight, state at /_state, faults at /_faults."""
    simulator = platform_app(secret=secret, state=str(state or ":memory:"), media_root=media_root)
    serve(simulator, name="simulated platform", host=host, port=port)


@app.command()
def kms(
    *,
    token: Annotated[str, typer.Option(help="What lets a client in.")],
    port: Port = 0,
    host: Host = "127.0.0.1",
    state: State = None,
) -> None:
    """Run a simulated key service: transit interface at /v1/transit, faults at /_faults."""
    simulator = kms_app(token=token, state=str(state or ":memory:"))
    serve(simulator, name="simulated key service", host=host, port=port)


@app.command()
def s3(
    *,
    bucket: Annotated[str, typer.Option(help="The bucket that there is.")],
    access_key: Annotated[str, typer.Option(help="Whom to let in.")],
    secret_key: Annotated[str, typer.Option(help="With what requests are signed.")],
    page: Annotated[int, typer.Option(min=1, help="How many objects a list names.")] = 1000,
    port: Port = 0,
    host: Host = "127.0.0.1",
) -> None:
    """Run a simulated S3 server, in memory: state at /_state, faults at /_faults."""
    simulator = s3_app(bucket=bucket, access_key=access_key, secret_key=secret_key, page=page)
    serve(simulator, name="simulated S3", host=host, port=port)


@app.command()
def dsa(
    *,
    port: Port = 0,
    host: Host = "127.0.0.1",
    state: State = None,
    token: Annotated[str, typer.Option(help="Whom to let in.")] = "sim",  # noqa: S107  a simulator's
) -> None:
    """Run a simulated DSA Transparency Database: base URL /api/v1, /_state, /_faults."""
    simulator = dsa_app(token=token, state=str(state or ":memory:"))
    serve(simulator, name="simulated DSA Transparency Database", host=host, port=port)


Count = Annotated[int, typer.Option(min=0, help="How many invented entries it has.")]
PageSize = Annotated[int, typer.Option(min=1, help="How many entries a page has.")]


@app.command("ncmec-hashes")
def ncmec_hashes(
    *,
    port: Port = 0,
    host: Host = "127.0.0.1",
    entries: Count = 50,
    page_size: PageSize = 10,
    username: Annotated[str, typer.Option(help="Whom to let in.")] = "sim",
    password: Annotated[str, typer.Option(help="With what.")] = "sim",  # noqa: S107  a simulator's
) -> None:
    """Run a simulated NCMEC Hash Sharing: base URL /hashsharing, /_state, /_faults, /_put."""
    simulator = ncmec_app(username=username, password=password, items=entries, page_size=page_size)
    serve(simulator, name="simulated NCMEC hash sharing", host=host, port=port)


@app.command()
def stopncii(
    *,
    port: Port = 0,
    host: Host = "127.0.0.1",
    entries: Count = 50,
    page_size: PageSize = 10,
    function_key: Annotated[str, typer.Option(help="Key of the functions.")] = "sim",
    subscription_key: Annotated[str, typer.Option(help="Key of the subscription.")] = "sim",
) -> None:
    """Run a simulated StopNCII: base URL /v1, state at /_state, faults at /_faults."""
    simulator = stopncii_app(
        function_key=function_key,
        subscription_key=subscription_key,
        records=entries,
        page_size=page_size,
    )
    serve(simulator, name="simulated StopNCII", host=host, port=port)


@app.command()
def threatexchange(
    *,
    port: Port = 0,
    host: Host = "127.0.0.1",
    entries: Count = 50,
    page_size: PageSize = 10,
    api_token: Annotated[
        str, typer.Option(help="Whom to let in: application id, |, secret.")
    ] = "99999999|sim",  # noqa: S107  a simulator's
    privacy_group: Annotated[str, typer.Option(help="Id of the privacy group.")] = "303636",
) -> None:
    """Run a simulated ThreatExchange: base URL /v26.0, state at /_state, faults at /_faults."""
    simulator = threatexchange_app(
        api_token=api_token,
        privacy_group=privacy_group,
        indicators=entries,
        page_size=page_size,
    )
    serve(simulator, name="simulated ThreatExchange", host=host, port=port)


if __name__ == "__main__":
    app()
