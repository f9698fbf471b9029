"""Preferences of what is kept of people, and for how long a conversation goes on without the wake word."""

from config.preference import Preference, declare

PRIVACY_AUDIO_DAYS = declare(
    Preference(
        "privacy.audio_days",
        30,
        "Por quantos dias se guarda o som do que disse quem deixou guardá-lo",
        minimum=1,
        maximum=3650,
    )
)
PRIVACY_ASK_AUDIO = declare(
    Preference(
        "privacy.ask_audio",
        False,
        "Pergunta a cada pessoa, uma vez, se o som do que ela diz pode ser guardado",
    )
)
PRIVACY_REPLACE_BACKUPS = declare(
    Preference(
        "privacy.replace_backups",
        True,
        "Depois de apagar o que é de alguém, uma cópia de segurança nova e conferida toma o lugar das que ainda o têm",
    )
)
CONVERSATION_ANSWER_S = declare(
    Preference(
        "conversation.answer_s",
        8,
        "Por quanto tempo se ouve a resposta a uma pergunta do Mordomo, sem a palavra de ativação (s); 0 é nunca",
        minimum=0,
        maximum=30,
    )
)
CONVERSATION_FOLLOW_UP_S = declare(
    Preference(
        "conversation.follow_up_s",
        0,
        "Por quanto tempo se continua ouvindo depois de qualquer resposta, sem a palavra de ativação (s); 0 é nunca",
        minimum=0,
        maximum=60,
    )
)
