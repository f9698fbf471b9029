"""The `mordomo` command."""

import sys

import typer

from daemon.commands import (
    approvals,
    ask,
    backup,
    configuration,
    demo,
    devices,
    devices_areas,
    devices_live,
    doctor,
    history,
    lists,
    memory,
    models,
    people,
    people_code,
    people_data,
    permissions,
    prompts,
    reminders,
    run,
    stats,
    understand,
    when,
)
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
app.add_typer(reminders.reminders, name="reminders")
app.add_typer(lists.lists, name="lists")
app.add_typer(memory.memory, name="memory")
app.add_typer(people.people, name="people")
people.people.command("export")(people_data.export_person)
people.people.command("erase")(people_data.erase_person)
people.people.command("consent")(people_data.consent_person)
people.people.command("code")(people_code.set_code)
people.people.command("roles")(permissions.roles)
app.add_typer(prompts.prompts, name="prompts")
app.add_typer(devices.devices, name="devices")
devices.devices.command("areas")(devices_areas.list_areas)
devices.devices.command("area")(devices_areas.change_area)
devices.devices.command("test")(devices_live.check_device)
devices.devices.command("watch")(devices_live.watch_devices)
app.add_typer(permissions.permissions, name="permissions")
app.add_typer(approvals.approvals, name="approvals")
app.command("stats")(stats.stats)


def main() -> None:
    """Run the command and end the process with its status."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
