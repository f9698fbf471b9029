"""What rules make of what is wanted: which wins, hours over midnight, days, rooms."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.people.person import Person, Role
from daemon.people.rules import RISKY, Rule, Wanted, decide, fits, strictest, within
from models.words import Effect

ANA = Person(UUID(int=1), "Ana", "child")
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
TIMES = st.times().map(lambda t: t.replace(tzinfo=None))
ROLES = st.sampled_from(["adult", "child", "guest"])
EFFECTS = st.sampled_from(["allow", "ask", "deny"])
DOMAINS = st.sampled_from(["light", "cover", "gate", "media_player", "tv", RISKY])
ROOMS = st.sampled_from(["sala", "Sala", "cozinha"])


def wanted(*domains: str, at: datetime = MONDAY, area: str | None = "sala", rests: bool = False) -> Wanted:
    return Wanted("HassTurnOn", frozenset(domains), area, "sala", at, rests)


def rule(effect: Effect, domain: str | None = None, role: Role | None = "child", **more: object) -> Rule:
    return Rule(effect, role=role, domain=domain, **more)  # type: ignore[arg-type]


RULES = st.builds(
    Rule, effect=EFFECTS, role=st.none() | ROLES, user_id=st.none() | st.just(ANA.id),
    intent=st.none() | st.sampled_from(["HassTurnOn", "HassTurnOff"]), domain=st.none() | DOMAINS,
    area=st.none() | ROOMS,
)  # fmt: skip
WANTED = st.builds(
    Wanted, intent=st.sampled_from(["HassTurnOn", "HassTurnOff"]), domains=st.frozensets(DOMAINS, min_size=1),
    area=st.none() | ROOMS, here=st.none() | ROOMS,
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    rests=st.booleans(),
)  # fmt: skip


def test_who_has_no_rule_may_not_but_for_administrators() -> None:
    assert decide([], ANA, wanted("light")) == "deny"
    assert decide([rule("allow", "light", "adult")], ANA, wanted("light")) == "deny"
    assert decide([], Person(None, None, "administrator"), wanted("light", RISKY)) == "allow"


@pytest.mark.parametrize(
    ("rules", "effect"),
    [
        ([rule("allow"), rule("ask", RISKY)], "ask"),
        ([rule("allow", "light"), rule("deny", "light")], "deny"),
        ([rule("deny"), rule("allow", "light")], "allow"),
        ([rule("allow", "light", here=True), rule("ask", RISKY)], "ask"),
        ([rule("deny", RISKY), rule("allow", "gate")], "allow"),
        ([rule("deny", "gate"), rule("allow", intent="HassTurnOn")], "allow"),
        ([rule("deny", "gate", intent="HassTurnOn"), rule("allow", role=None, user_id=ANA.id)], "allow"),
        ([rule("allow", "light"), rule("deny", "light", area="SALA")], "deny"),
        ([rule("allow", "light"), rule("deny", "light", area="cozinha")], "allow"),
        ([rule("allow", "light", user_id=UUID(int=2), role=None)], "deny"),
    ],
)
def test_which_rule_wins(rules: list[Rule], effect: Effect) -> None:
    assert decide(rules, ANA, wanted("light", "gate", RISKY)) == effect
    assert decide(rules[::-1], ANA, wanted("light", "gate", RISKY)) == effect


def test_strictest() -> None:
    several: tuple[list[Effect], ...] = ([], ["allow"], ["allow", "ask"], ["ask", "deny", "allow"])
    assert [strictest(each) for each in several] == ["allow", "allow", "ask", "deny"]


@given(start=TIMES, until=TIMES, at=TIMES)
def test_hours_and_their_opposite_part_the_day(start: time, until: time, at: time) -> None:
    """Whatever the hours, over midnight or not, a moment is either in them or in those from their end to their begin."""
    if start == until:
        return
    moment = MONDAY.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=at.microsecond)
    there = within(rule("deny", from_time=start, until_time=until), moment)
    assert there is not within(rule("deny", from_time=until, until_time=start), moment)
    length = (timedelta(hours=at.hour - start.hour, minutes=at.minute - start.minute, seconds=at.second - start.second,
                        microseconds=at.microsecond - start.microsecond)) % timedelta(days=1)  # fmt: skip
    whole = (timedelta(hours=until.hour - start.hour, minutes=until.minute - start.minute,
                       seconds=until.second - start.second,
                       microseconds=until.microsecond - start.microsecond)) % timedelta(days=1)  # fmt: skip
    assert there is (length < whole)


@given(days=st.frozensets(st.integers(1, 7), min_size=1), hour=st.integers(0, 23), day=st.integers(0, 27))
def test_a_night_is_of_the_day_on_which_it_begins(days: frozenset[int], hour: int, day: int) -> None:
    night = rule("deny", from_time=time(22), until_time=time(6), weekdays=days)
    at = MONDAY + timedelta(days=day, hours=hour)
    evening = at - timedelta(days=1) if hour < 6 else at
    assert within(night, at) is ((hour >= 22 or hour < 6) and evening.isoweekday() in days)
    assert within(rule("deny", weekdays=days), at) is (at.isoweekday() in days)


@given(rules=st.lists(RULES, max_size=6), one=WANTED)
def test_what_does_not_fit_changes_nothing_and_order_does_not_matter(rules: list[Rule], one: Wanted) -> None:
    effect = decide(rules, ANA, one)
    assert decide([each for each in rules if fits(each, ANA, one)], ANA, one) == effect
    assert decide(rules[::-1], ANA, one) == effect
    assert effect == "deny" or any(each.effect == effect and fits(each, ANA, one) for each in rules)


@given(rules=st.lists(RULES, max_size=6), one=WANTED, area=ROOMS)
def test_a_rule_of_a_room_reaches_no_other_room(rules: list[Rule], one: Wanted, area: str) -> None:
    more = Rule("deny", user_id=ANA.id, area=area)
    if one.area is None or one.area.casefold() != area.casefold():
        assert decide([*rules, more], ANA, one) == decide(rules, ANA, one)
    else:
        assert fits(more, ANA, one)


@given(rules=st.lists(RULES, max_size=6), one=WANTED)
def test_a_rule_of_a_role_never_binds_another(rules: list[Rule], one: Wanted) -> None:
    others = [each for each in rules if each.role == "adult"]
    assert decide(rules, ANA, one) == decide([each for each in rules if each not in others], ANA, one)


def test_who_may_not_turn_it_on_at_night_may_turn_it_off() -> None:
    night = MONDAY.replace(hour=22)
    rules = [rule("allow", "media_player"), rule("deny", "tv", from_time=time(21), until_time=time(6))]
    assert decide(rules, ANA, wanted("media_player", "tv", at=night)) == "deny"
    assert decide(rules, ANA, wanted("media_player", "tv", at=night, rests=True)) == "allow"
    assert decide(rules, ANA, wanted("media_player", "tv", at=night.replace(hour=20, minute=59))) == "allow"
    by_name = rule("deny", "tv", intent="HassTurnOn", from_time=time(21), until_time=time(6))
    assert decide([*rules, by_name], ANA, wanted("tv", "media_player", at=night, rests=True)) == "deny"
