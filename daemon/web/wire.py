"""A Turn as JSON, for HTTP, the command line and MQTT: one form everywhere.

{"transcript": {"text", "confidence", "model", "audio_ms"} | null, "text", "route", "intents": […], "confidence",
 "assumed": […], "actions": [{"id", "name", "parameters", "status", "result", "error"}], "reply": […],
 "latency_ms", "steps": {step: ms}, "outcome", "notices": […], "turn_id", "conversation_id"}
"""

from typing import Any

from daemon.turn import Turn


def turn_as_json(turn: Turn) -> dict[str, Any]:
    """Return the turn in plain JSON types; milliseconds have one decimal."""
    understood = turn.understood
    transcript, utterance, plan = understood.transcript, understood.utterance, understood.plan
    return {
        "turn_id": str(turn.id),
        "conversation_id": str(turn.conversation_id),
        "source": turn.source,
        "area": turn.area,
        "text": understood.text,
        "transcript": transcript
        and {
            "text": transcript.text,
            "confidence": round(transcript.confidence, 3),
            "model": transcript.model,
            "audio_ms": utterance.duration_ms if utterance else None,
        },
        "route": plan.route,
        "intents": [
            {"intent": intent.name, "targets": list(intent.targets), "slots": dict(intent.slots)}
            for intent in plan.intents
        ],
        "confidence": round(plan.confidence, 3),
        "assumed": list(plan.assumed),
        "question": plan.question,
        "actions": [
            {
                "id": str(action.id),
                "name": action.name,
                "parameters": action.parameters,
                "status": action.status,
                "result": action.result,
                "error": action.error,
            }
            for action in turn.actions
        ],
        "reply": turn.reply,
        "latency_ms": None if turn.latency_ms is None else round(turn.latency_ms, 1),
        "steps": {name: round(ms, 1) for name, ms in turn.steps.items()},
        "outcome": turn.outcome,
        "notices": turn.notices,
    }
