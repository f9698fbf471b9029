"""A device's check-up: it is turned to the other side and back, as a turn would, and what it did is told.

What would let somebody in, or moves something heavy, is never moved by this. Each order is an action of the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from daemon.clock import Clock
from daemon.devices.house import House
from daemon.devices.order import Order, Outcome, Verb
from daemon.errors import CannotDo, LinkDown
from db.ledger import HeardMessage, Ledger, NewAction, SaidMessage, new_id

SWITCHED = frozenset({"light", "switch", "fan"})
"""Components that may be turned on and off just to see."""
DONE = frozenset({"confirmed", "already", "sent"})


class Links(Protocol):
    """What a check-up needs of the devices."""

    house: House

    async def carry_out(self, order: Order) -> Outcome:
        """Command one entity. Raises CannotDo, LinkDown."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One order of a check-up; `outcome` is an Outcome's kind, or `cannot`."""

    verb: Verb
    outcome: str
    state: str | None
    ms: float


@dataclass(slots=True)
class Report:
    """How it went; `verdict` says it in Portuguese."""

    entity_id: str
    ok: bool = False
    verdict: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CheckUp:
    """Tests devices, one order after the other."""

    devices: Links
    ledger: Ledger
    clock: Clock

    async def test(self, entity_id: str, guarded: Mapping[str, object]) -> Report:
        """Turn an entity to the other side and back. `guarded` are its attributes in the household.

        Raises LinkDown when the broker is away, and when neither the database nor the disk takes the record; CannotDo,
        with what to say, for what is not there or may not be moved just to see.
        """
        self._refuse_what_is_risky(entity_id, guarded)
        on = self.devices.house.condition(entity_id).state == "on"
        verbs: tuple[Verb, Verb] = ("turn_off", "turn_on") if on else ("turn_on", "turn_off")
        report = Report(entity_id)
        message = self._heard(entity_id, verbs)
        await self.ledger.heard(message)
        left = list(message.actions)
        try:
            for verb in verbs:
                report.steps.append(await self._step(entity_id, left[0], verb))
                del left[0]
        except LinkDown as down:
            for action in left:
                result = {"outcome": "unknown"}
                at = self.clock.now()
                await self.ledger.finished(action.id, status="failed", at=at, result=result, error=str(down))
            raise
        self._judge(report)
        said = SaidMessage(message.conversation_id, new_id(), report.verdict, self.clock.now())
        await self.ledger.said(said)
        await self.ledger.ended(message.conversation_id, self.clock.now())
        return report

    def _refuse_what_is_risky(self, entity_id: str, guarded: Mapping[str, object]) -> None:
        entity = self.devices.house.entity(entity_id)
        if entity is None:
            raise CannotDo(f"{entity_id} não está na casa agora: ninguém o anuncia.")
        if entity.component not in SWITCHED or guarded.get("guarded") is True:
            raise CannotDo(
                f"{entity_id} não se move só para testar. Peça a ele algo por voz, ou veja: mordomo devices show"
            )

    def _heard(self, entity_id: str, verbs: tuple[Verb, Verb]) -> HeardMessage:
        name = self.devices.house.name(entity_id)
        parameters = {"entity_id": entity_id, "name": name}
        return HeardMessage(
            conversation_id=new_id(),
            message_id=new_id(),
            text=f"testa {name}",
            at=self.clock.now(),
            metadata={"source": "check_up"},
            actions=tuple(NewAction(new_id(), "iot_control", verb, parameters) for verb in verbs),
        )

    async def _step(self, entity_id: str, action: NewAction, verb: Verb) -> Step:
        await self.ledger.executing([action.id], self.clock.now())
        try:
            outcome = await self.devices.carry_out(Order(entity_id, verb, action_id=action.id))
        except CannotDo as cannot:
            await self.ledger.finished(action.id, status="failed", at=self.clock.now(), error=cannot.say)
            return Step(verb, "cannot", None, 0.0)
        await self.ledger.finished(
            action.id,
            status="success" if outcome.kind in DONE else "failed",
            at=self.clock.now(),
            result={"outcome": outcome.kind, "state": outcome.state, "previous": dict(outcome.previous)},
            error=None if outcome.kind in DONE else outcome.kind,
        )
        return Step(verb, outcome.kind, outcome.state, outcome.ms)

    def _judge(self, report: Report) -> None:
        kinds = {step.outcome for step in report.steps}
        report.ok = kinds <= DONE
        if kinds == {"confirmed"}:
            report.verdict = "Está tudo certo: obedece e conta como está."
        elif kinds <= DONE:
            report.verdict = "Mandei as ordens; ele não conta como está, então só olhando para saber."
        elif "unavailable" in kinds:
            report.verdict = "Está fora do ar. Veja se tem energia, e se alcança a rede ou o concentrador."
        elif "cannot" in kinds:
            report.verdict = "O anúncio dele não diz onde recebe ordens. Veja a descoberta no programa que o anuncia."
        elif self.devices.house.condition(report.entity_id).heard_at is None:
            report.verdict = "Nunca contou como está. Veja se o tópico de estado anunciado é o que ele usa."
        else:
            report.verdict = "Não obedece, ou obedece sem contar. Veja se os tópicos anunciados são os que ele usa."
