"""The `mordomo` command."""

import sys

import typer

from daemon.commands import ask, backup, configuration, demo, doctor, history, models, run, stats, understand, when
from daemon.commands.console import guarded

app = typer.Typer(
    name="mordomo",
    help="O assistente de voz da sua casa. Nada sai dela.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("ask")(ask.ask)
app.command("listen")(ask.listen)
app.command("understand")(understand.understand)
app.command("when")(when.when)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(configuration.config, name="config")
app.add_typer(configuration.schema, name="db")
app.add_typer(backup.backup, name="backup")
app.add_typer(history.history, name="history")
app.command("stats")(stats.stats)


def main() -> None:
    """Run the command and end the process with its status."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
