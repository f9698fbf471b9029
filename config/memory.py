"""The preferences of memory: which model finds by meaning, what is remembered, how long recalling may take."""

from config.preference import Preference, declare

LOCAL = "local"
WORDS_ONLY = "words"

MEMORY_MODEL = declare(
    Preference(
        "memory.model",
        LOCAL,
        "Quem acha memórias pelo sentido: local (vem junto), words (só pelas palavras), ou um modelo do Ollama",
        pattern="[A-Za-z0-9._:/-]+",
        shape="só com letras sem acento, números e . _ : / -",
        reloads="embedding",
    )
)
MEMORY_MESSAGES = declare(
    Preference("memory.messages", True, "O que se conversa com o modelo de linguagem pode ser lembrado depois")
)
MEMORY_RECALL_MS = declare(
    Preference("memory.recall_ms", 300, "Espera máxima por lembranças numa resposta (ms)", minimum=20, maximum=5000)
)
