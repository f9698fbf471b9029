"""The preferences of who speaks: by which model voices are told apart, and how alike they have to be."""

from config.preference import Preference, declare

VOICES_MODEL = declare(
    Preference(
        "voices.model",
        "",
        "Modelo que distingue as vozes: o caminho de um .onnx (GE2E, WeSpeaker, 3D-Speaker); vazio é o que vem junto. "
        "Com outro, cada um ensina a voz de novo",
        reloads="voices",
    )
)
VOICES_THRESHOLD = declare(
    Preference(
        "voices.threshold",
        0.52,
        "Quanto uma voz tem de parecer com a de alguém da casa: mais alto toma menos visitas por alguém, e mais vezes "
        "não reconhece quem é",
        minimum=0.2,
        maximum=0.95,
    )
)
VOICES_TRUST = declare(
    Preference(
        "voices.trust",
        0.2,
        "Quanto acima do necessário uma voz tem de estar, numa frase, para a pessoa poder o que o papel dela permite; "
        "com menos, as coisas são dela, e o que pode é o de uma visita",
        minimum=0.0,
        maximum=0.5,
    )
)
VOICES_ENABLED = declare(Preference("voices.enabled", True, "Reconhece quem fala entre os que ensinaram a voz"))
VOICES_FOLLOW = declare(
    Preference("voices.follow", True, "Acompanha, aos poucos, as mudanças da voz de quem é reconhecido sem dúvida")
)
