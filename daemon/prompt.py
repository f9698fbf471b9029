"""The prompt on the terminal: what is typed is a turn, answered in writing."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from rich.console import Console

from daemon.app import Mordomo

log = structlog.get_logger(__name__)

PROMPT = "você> "
LONGEST_LINE = 10_000
FAREWELLS = frozenset({"sair", "exit", "quit"})


@dataclass(slots=True)
class Prompt:
    """Reads lines from standard input until it ends; then `leave` is called, which stops the daemon."""

    mordomo: Mordomo
    leave: Callable[[], None]
    name: str = "prompt"

    async def run(self) -> None:
        """Answer line after line until cancelled, end of input or a farewell; due reminders show here too."""
        screen = Console(highlight=False)
        lines: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        # The terminal hands over whole lines, so reading one does not block.
        loop.add_reader(sys.stdin, lambda: lines.put_nowait(sys.stdin.readline(LONGEST_LINE)))

        def show(text: str) -> None:
            screen.print(f"\nmordomo> {text}", style="bold yellow", markup=False)
            screen.print(f"[bold cyan]{PROMPT}[/]", end="")

        self.mordomo.screens.append(show)
        try:
            while True:
                screen.print(f"[bold cyan]{PROMPT}[/]", end="")
                line = await lines.get()
                if not line or line.strip().lower() in FAREWELLS:
                    screen.print()
                    self.leave()
                    return
                if line.strip():
                    await self._answer(line.strip(), screen)
        finally:
            self.mordomo.screens.remove(show)
            loop.remove_reader(sys.stdin)

    async def _answer(self, text: str, screen: Console) -> None:
        try:
            turn = await self.mordomo.ask(text, None)
        except Exception:
            log.exception("turn_lost", source="prompt")
            screen.print("Desculpe, algo deu errado por dentro. O log diz o quê.", style="red")
            return
        screen.print(f"mordomo> {' '.join(turn.reply) or '…'}", style="bold", markup=False)
        for notice in turn.notices:
            screen.print(f"  aviso: {notice}", style="yellow", markup=False)
