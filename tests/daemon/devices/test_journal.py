"""What waits to be stored: bounded, thinned, and never forgotten before it is written; and why things changed."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from daemon.devices.cause import LATE, SETTLING, Causes
from daemon.devices.entity import Condition
from daemon.devices.journal import Change, Journal
from daemon.devices.order import Goal

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ON, OFF = Condition("on"), Condition("off")
TURN_ON = Goal(frozenset({"on"}))


def change(entity_id: str = "light.x", second: float = 0, *, step: bool = True, unknown: bool = False) -> Change:
    at = NOW + timedelta(seconds=second)
    return Change(entity_id, at, str(second), {}, None, "unknown" if unknown else "house", None, at, step)


def states(journal: Journal, second: float = 0, *, settled: bool = True) -> list[str | None]:
    batch = journal.due(NOW + timedelta(seconds=second), 100, settled=settled)
    return [line.state for line in batch.history.values()]


def test_nothing_is_forgotten_before_it_is_written() -> None:
    journal = Journal()
    journal.note(change(second=0))
    batch = journal.due(NOW, 100, settled=True)
    journal.note(change(second=1))
    assert states(journal) == ["0", "1"]
    journal.written(batch, NOW)
    assert states(journal) == ["1"]
    assert [each.state for each in journal.due(NOW, 100, settled=True).latest] == ["1"]
    journal.written(journal.due(NOW, 100, settled=True), NOW)
    assert (len(journal), journal.news.is_set()) == (0, False)


def test_it_is_bounded_and_counts_what_it_gave_up() -> None:
    journal = Journal(most=3)
    for second in range(5):
        journal.note(change(second=second))
    assert (states(journal), journal.dropped) == (["2", "3", "4"], 2)


def test_what_was_found_at_the_start_waits_until_all_was_told() -> None:
    journal = Journal()
    journal.note(change("light.a", unknown=True))
    journal.note(change("light.b", second=1))
    assert states(journal, settled=False) == ["1"]
    assert [each.entity_id for each in journal.due(NOW, 100, settled=False).latest] == ["light.b"]
    journal.restored("light.a")
    assert states(journal) == ["1"]


def test_a_reading_that_wanders_is_thinned_and_its_last_value_still_comes() -> None:
    journal = Journal()
    for second in range(30):
        journal.note(change(second=second, step=False))
        journal.written(
            journal.due(NOW + timedelta(seconds=second), 100, settled=True), NOW + timedelta(seconds=second)
        )
    assert states(journal, 30) == []
    assert states(journal, 61) == ["29"]
    assert [each.state for each in journal.due(NOW + timedelta(seconds=61), 100, settled=True).latest] == ["29"]


def test_a_step_is_due_at_once_though_a_reading_came_after_it() -> None:
    journal = Journal()
    journal.note(change(second=0))
    journal.written(journal.due(NOW, 100, settled=True), NOW)
    journal.note(change(second=1))
    journal.note(change(second=2, step=False))
    assert [each.state for each in journal.due(NOW + timedelta(seconds=2), 100, settled=True).latest] == ["2"]


def test_what_follows_a_command_is_ours_and_what_undoes_it_is_not() -> None:
    causes, action = Causes(), uuid4()
    assert causes.of("light.x", ON, NOW) == ("house", None)
    causes.commanded("light.x", action, TURN_ON, OFF, NOW)
    assert causes.of("light.x", OFF, NOW) == ("house", None)  # something else of it changed meanwhile
    assert causes.of("light.x", ON, NOW) == ("mordomo", action)
    assert causes.of("light.x", ON, NOW + SETTLING) == ("mordomo", action)  # its ramp
    assert causes.of("light.x", OFF, NOW + SETTLING) == ("house", None)
    assert causes.of("light.x", ON, NOW + SETTLING) == ("house", None)  # back at the switch on the wall


def test_what_comes_long_after_a_command_is_not_ours() -> None:
    causes = Causes()
    causes.commanded("light.x", None, TURN_ON, OFF, NOW)
    assert causes.of("light.x", ON, NOW + LATE + timedelta(seconds=1)) == ("house", None)
    causes.commanded("light.x", None, TURN_ON, OFF, NOW)
    assert causes.of("light.x", ON, NOW) == ("mordomo", None)
    assert causes.of("light.x", ON, NOW + SETTLING + timedelta(seconds=1)) == ("house", None)


def test_a_cover_on_its_way_is_ours_until_it_arrives() -> None:
    causes, action = Causes(), uuid4()
    goal = Goal(frozenset({"open"}), frozenset({"opening"}))
    causes.commanded("cover.x", action, goal, Condition("closed"), NOW)
    for second, state in ((1, "opening"), (60, "opening"), (120, "open")):
        assert causes.of("cover.x", Condition(state), NOW + timedelta(seconds=second)) == ("mordomo", action)
