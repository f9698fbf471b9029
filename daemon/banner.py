"""The first words on the screen: each part with ok or what is missing, and the command that mends it."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from daemon.app import Mordomo
from daemon.health import Part

WORDS = {
    "ok": ("[green]ok[/]", "green"),
    "starting": ("[cyan]começando[/]", "cyan"),
    "trial": ("[yellow]demonstração[/]", "yellow"),
    "missing": ("[red]falta[/]", "red"),
    "away": ("[red]fora do ar[/]", "red"),
    "failed": ("[red]falhou[/]", "red"),
    "off": ("[dim]desligado[/]", "dim"),
}


def table_of(parts: Sequence[Part]) -> Table:
    """Return the parts as a table: name, state, and what mends it."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for part in parts:
        detail = part.detail + (f"\n[bold]→ {part.mend}[/]" if part.mend else "")
        table.add_row(part.title, WORDS[part.condition][0], detail)
    return table


async def print_banner(mordomo: Mordomo, url: str, seconds: float) -> None:
    """Print the banner on standard output."""
    screen = Console(highlight=False)
    screen.print(f"[bold]Mordomo[/] pronto em {seconds:.1f} s — {url}")
    screen.print(table_of(await mordomo.health()))
    if mordomo.trial.demo_house:
        screen.print(
            "Não achei aparelhos, então liguei uma [bold]casa de demonstração[/] com lâmpadas e outros aparelhos de "
            "mentira. Experimente: [italic]acende a luz da sala[/]. Para ficar sem ela: mordomo run --no-demo-house"
        )
