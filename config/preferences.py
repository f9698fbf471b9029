"""The household's preferences: rows of the config table, typed and bounded, declared once, here and in `people.py`.

From these declarations come the defaults that are seeded, the database's own check (`db/preference_check.py`) and the
typed snapshot that the daemon reads; what a declaration may say is in `preference.py`.
"""

from collections.abc import Mapping

import config.brain
import config.memory
import config.voices  # noqa: F401 - these declare
from config.people import PEOPLE_APPROVAL_S, PEOPLE_LOCAL_ROLE, PEOPLE_UNKNOWN_ROLE
from config.preference import DECLARED, Preference, T
from config.preference import declare as _declare
from config.privacy import (
    CONVERSATION_ANSWER_S,
    CONVERSATION_FOLLOW_UP_S,
    PRIVACY_AUDIO_DAYS,
    PRIVACY_REPLACE_BACKUPS,
)

__all__ = [
    "CONVERSATION_ANSWER_S",
    "CONVERSATION_FOLLOW_UP_S",
    "DECLARED",
    "PEOPLE_APPROVAL_S",
    "PEOPLE_LOCAL_ROLE",
    "PEOPLE_UNKNOWN_ROLE",
    "PRIVACY_AUDIO_DAYS",
    "PRIVACY_REPLACE_BACKUPS",
    "Preferences",
]


WAKE_WORD_ENGINE = _declare(
    Preference(
        "wake_word.engine",
        "microwakeword",
        "Motor da palavra de ativação",
        choices=("microwakeword", "openwakeword", "porcupine"),
        reloads="wake_word",
    )
)
WAKE_WORD_PHRASE = _declare(
    Preference(
        "wake_word.phrase",
        "hey_jarvis",
        "Palavra de ativação: um nome que vem no pacote do motor, ou o caminho de um arquivo .tflite, .json ou .ppn",
        reloads="wake_word",
    )
)
WAKE_WORD_SENSITIVITY = _declare(
    Preference(
        "wake_word.sensitivity",
        0.7,
        "Sensibilidade da palavra de ativação: mais alta ouve mais e erra mais",
        minimum=0.0,
        maximum=1.0,
        reloads="wake_word",
    )
)

PREROLL_MS = _declare(
    Preference("audio.preroll_ms", 300, "Quanto som antes da fala é guardado (ms)", minimum=0, maximum=2000)
)
INPUT_DEVICE = _declare(
    Preference(
        "audio.input_device",
        "",
        "Microfone: nome ou parte dele; vazio é o padrão do sistema",
        reloads="microphone",
    )
)
MICROPHONE_MUTED = _declare(
    Preference("audio.muted", False, "Microfone desligado: nada é ouvido nem captado", reloads="microphone")
)
OUTPUT_DEVICE = _declare(
    Preference(
        "audio.output_device",
        "",
        "Alto-falante: nome ou parte dele; vazio é o padrão do sistema",
        reloads="speaker",
    )
)

ENDPOINT_THRESHOLD = _declare(
    Preference("endpoint.threshold", 0.5, "Probabilidade de voz a partir da qual é fala", minimum=0.1, maximum=0.95)
)
ENDPOINT_MIN_SPEECH_MS = _declare(
    Preference("endpoint.min_speech_ms", 90, "Fala mais curta que isto é ruído (ms)", minimum=30, maximum=1000)
)
ENDPOINT_SILENCE_MS = _declare(
    Preference("endpoint.silence_ms", 700, "Silêncio que termina uma fala (ms)", minimum=200, maximum=3000)
)
ENDPOINT_PROVISIONAL_MS = _declare(
    Preference(
        "endpoint.provisional_ms",
        200,
        "Silêncio a partir do qual já se começa a transcrever, enquanto se espera o fim (ms)",
        minimum=60,
        maximum=3000,
    )
)
ENDPOINT_MAX_S = _declare(
    Preference("endpoint.max_s", 15, "Fala mais longa que isto é cortada (s)", minimum=3, maximum=60)
)
ENDPOINT_WAIT_S = _declare(
    Preference(
        "endpoint.wait_s",
        5,
        "Quanto se espera pela fala depois da palavra de ativação (s)",
        minimum=2,
        maximum=30,
    )
)

STT_MODEL = _declare(
    Preference(
        "stt.model",
        "small",
        "Modelo Whisper: nome (tiny, base, small, medium, large-v3, large-v3-turbo…), caminho de uma pasta, ou demo",
        pattern="[^\\s].*",
        shape="que não comece com espaço",
        reloads="stt",
    )
)
STT_BEAM_SIZE = _declare(Preference("stt.beam_size", 1, "Largura da busca do Whisper", minimum=1, maximum=10))
STT_THREADS = _declare(
    Preference("stt.threads", 0, "Núcleos para o Whisper; 0 escolhe sozinho", minimum=0, maximum=64, reloads="stt")
)
STT_MIN_LOGPROB = _declare(
    Preference("stt.min_logprob", -1.0, "Transcrição menos provável que isto é descartada", minimum=-5.0, maximum=0.0)
)

TTS_VOICE = _declare(
    Preference(
        "tts.voice",
        "pt_BR-faber-medium",
        "Voz Piper: nome, caminho de um .onnx, ou espeak para a voz simples que vem junto",
        pattern="[^\\s].*",
        shape="que não comece com espaço",
        reloads="tts",
    )
)
TTS_SPEED = _declare(Preference("tts.speed", 1.0, "Velocidade da fala", minimum=0.5, maximum=2.0))

CONVERSATION_QUIET_S = _declare(
    Preference("conversation.quiet_s", 120, "Silêncio que encerra uma conversa (s)", minimum=10, maximum=3600)
)
DEVICES_CONFIRM_MS = _declare(
    Preference("devices.confirm_ms", 1500, "Espera pela confirmação de um aparelho (ms)", minimum=100, maximum=10000)
)
REMINDERS_LEASE_S = _declare(
    Preference(
        "reminders.lease_s",
        60,
        "Depois disto, um lembrete que não acabou de ser falado é falado de novo (s)",
        minimum=10,
        maximum=600,
    )
)
MQTT_WORDS = _declare(
    Preference("mqtt.words", True, "Publica no broker (mordomo/event) o que se disse e o que foi respondido")
)
REMINDERS_QUIET_HOURS = _declare(
    Preference(
        "reminders.quiet_hours",
        "",
        "Horas de silêncio: lembretes comuns esperam o fim delas, como em 22:00-07:00; vazio é nunca",
        pattern="(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])?",
        shape="com duas horas, ou vazio",
    )
)
REMINDERS_PUSH_URL = _declare(
    Preference(
        "reminders.push_url",
        "",
        "Endereço que também recebe cada lembrete (https, ou da rede da casa); vazio é nenhum",
        pattern="(https?://[^ ]+)?",
        shape="que comece com https:// ou http://, ou vazio",
    )
)
REMINDERS_PUSH_KIND = _declare(
    Preference("reminders.push_kind", "webhook", "O que há naquele endereço", choices=("webhook", "ntfy"))
)
HOUSE_TIMEZONE = _declare(Preference("house.timezone", "America/Sao_Paulo", "Fuso horário da casa", is_timezone=True))
HOUSE_HOLIDAYS = _declare(
    Preference(
        "house.holidays",
        "",
        "Estado cujos feriados valem além dos nacionais; SP-Capital inclui os da cidade de São Paulo; vazio é nenhum",
        choices=(
            "",
            *"AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP SP-Capital TO".split(),
        ),
    )
)
HOUSE_OWN_HOLIDAYS = _declare(
    Preference(
        "house.own_holidays",
        "",
        "Feriados da cidade, dia e mês, como em 25/01, 08/12",
        pattern="([0-3][0-9]/[01][0-9](, ?[0-3][0-9]/[01][0-9])*)?",
        shape="com dias e meses separados por vírgulas, ou vazio",
    )
)
HOUSE_CARNIVAL = _declare(Preference("house.carnival", True, "Carnaval e Corpus Christi contam como feriados"))
HOUSE_AREA = _declare(Preference("house.area", "sala", "Cômodo onde está o microfone desta máquina"))
RETENTION_SYSTEM_LOGS_DAYS = _declare(
    Preference(
        "retention.system_logs_days",
        30,
        "Por quantos dias se guarda o registro do sistema (system_logs)",
        minimum=1,
        maximum=3650,
    )
)
RETENTION_AUDIT_DAYS = _declare(
    Preference(
        "retention.audit_days",
        1825,
        "Por quantos dias se guarda quem mudou o quê (audit_log)",
        minimum=1,
        maximum=36500,
    )
)
RETENTION_STATES_DAYS = _declare(
    Preference(
        "retention.states_days",
        30,
        "Por quantos dias se guarda a história dos aparelhos (entity_states)",
        minimum=1,
        maximum=3650,
    )
)
RETENTION_MESSAGES_DAYS = _declare(
    Preference(
        "retention.messages_days",
        0,
        "Por quantos dias se guardam as conversas; 0 é para sempre",
        minimum=0,
        maximum=36500,
    )
)
BACKUP_ENABLED = _declare(Preference("backup.enabled", True, "Faz cópias de segurança todos os dias"))
BACKUP_HOUR = _declare(
    Preference("backup.hour", 2, "Hora da cópia de segurança, no fuso da casa", minimum=0, maximum=23)
)
BACKUP_KEEP_DAILY = _declare(
    Preference("backup.keep_daily", 7, "Quantas cópias diárias se guardam", minimum=1, maximum=366)
)
BACKUP_KEEP_WEEKLY = _declare(
    Preference("backup.keep_weekly", 4, "Quantas cópias semanais se guardam", minimum=0, maximum=520)
)
BACKUP_KEEP_MONTHLY = _declare(
    Preference("backup.keep_monthly", 6, "Quantas cópias mensais se guardam", minimum=0, maximum=600)
)
BACKUP_KEEP_BASES = _declare(
    Preference(
        "backup.keep_bases",
        2,
        "Quantas cópias semanais do servidor inteiro se guardam; desde a mais velha se volta a qualquer minuto",
        minimum=1,
        maximum=52,
    )
)


class Preferences:
    """A whole, valid set of preferences at one moment; immutable. `prefs[STT_MODEL]` is a `str`, and so on."""

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        """Take decoded JSON `values` by key; absent keys have their defaults. Raises InvalidPreference."""
        given = values or {}
        self._values = {key: p.read(given[key]) if key in given else p.default for key, p in DECLARED.items()}

    def __getitem__(self, preference: Preference[T]) -> T:
        """Return the value of a declared preference."""
        value: T = self._values[preference.key]
        return value

    def with_value(self, key: str, value: object) -> "Preferences":
        """Return a copy with one key changed. Raises InvalidPreference; KeyError for a key that is not declared."""
        DECLARED[key].read(value)
        return Preferences({**self._values, key: value})

    def as_dict(self) -> dict[str, object]:
        """Return every key with its value."""
        return dict(self._values)
