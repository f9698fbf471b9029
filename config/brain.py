"""The preferences of the language model: which it is, how it answers, how long it may take, what it may do."""

from config.preference import Preference, declare

BRAIN_MODEL = declare(
    Preference(
        "brain.model",
        "qwen2.5:3b",
        "Modelo do Ollama",
        pattern="[A-Za-z0-9._:/-]+",
        shape="só com letras sem acento, números e . _ : / -",
        reloads="brain",
    )
)
BRAIN_TEMPERATURE = declare(
    Preference("brain.temperature", 0.7, "Temperatura do modelo de linguagem", minimum=0.0, maximum=2.0)
)
BRAIN_MAX_TOKENS = declare(
    Preference("brain.max_tokens", 200, "Tamanho máximo da resposta, em tokens", minimum=16, maximum=4096)
)
BRAIN_FIRST_TOKEN_S = declare(
    Preference("brain.first_token_s", 10, "Espera pela primeira palavra do modelo (s)", minimum=1, maximum=120)
)
BRAIN_WHOLE_S = declare(
    Preference("brain.whole_s", 45, "Tempo máximo da resposta inteira do modelo (s)", minimum=2, maximum=600)
)
BRAIN_CONTEXT = declare(
    Preference("brain.context", 8192, "Contexto do modelo de linguagem, em tokens", minimum=2048, maximum=131072)
)
BRAIN_KEEP_ALIVE_MIN = declare(
    Preference("brain.keep_alive_min", 30, "Tempo do modelo na memória depois de usado (min)", minimum=-1, maximum=1440)
)
BRAIN_KEEP_WARM = declare(Preference("brain.keep_warm", True, "Manter o modelo de linguagem pronto na memória"))
BRAIN_THINK = declare(Preference("brain.think", False, "O modelo pensa antes de responder (só os que sabem)"))
BRAIN_TOOLS = declare(Preference("brain.tools", True, "O modelo de linguagem pode pedir o que a casa sabe fazer"))
BRAIN_ROUNDS = declare(
    Preference("brain.rounds", 4, "Idas e voltas do modelo com a casa numa resposta", minimum=1, maximum=10)
)
BRAIN_PATIENCE_MS = declare(
    Preference("brain.patience_ms", 1800, "Silêncio antes de dizer que está pensando (ms)", minimum=200, maximum=10000)
)
