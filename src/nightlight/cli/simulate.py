"""``nightlight simulate``: partners as separate processes, for the demo and for tests."""

from pathlib import Path
from typing import Annotated

import typer

from nightlight.serving import serve
from nightlight.simulate.cybertipline import cybertipline_app
from nightlight.simulate.platform import platform_app

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
        typer.Option(
            exists=True, dir_okay=False, help="NCMEC's XML schema; without it, a permissive one."
        ),
    ] = None,
    username: Annotated[str, typer.Option(help="Whom to let in.")] = "sim",
    password: Annotated[str, typer.Option(help="With what.")] = "sim",  # noqa: S107  a simulator's
) -> None:
    """Run a simulated CyberTipline: base URL /ispws, state at /_state, faults at /_faults."""
    simulator = cybertipline_app(
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


if __name__ == "__main__":
    app()
