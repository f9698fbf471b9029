"""`mordomo run`: the daemon."""

from typing import Annotated

import typer

from daemon.commands.console import environment


def run(
    demo_house: Annotated[
        bool, typer.Option("--demo-house/--no-demo-house", help="Liga a casa de demonstração se não houver aparelhos.")
    ] = True,
    prompt: Annotated[
        bool, typer.Option("--prompt/--no-prompt", help="Aceita pedidos digitados neste terminal.")
    ] = True,
) -> None:
    """Liga o Mordomo e fica rodando até Ctrl-C ou SIGTERM."""
    import asyncio  # noqa: PLC0415
    import sys  # noqa: PLC0415

    from daemon.running import Options, serve  # noqa: PLC0415

    typed = prompt and sys.stdin.isatty() and sys.stdout.isatty()
    asyncio.run(serve(environment(), Options(demo_house=demo_house, prompt=typed)))
