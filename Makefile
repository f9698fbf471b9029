# Mordomo. `make` alone lists what there is.
#   make run PYTHON=python3.12        another Python
#   make run ARGS=--no-demo-house     arguments for the command, also for test and demo

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
FETCH := $(PIP) install --quiet --require-hashes --only-binary :all:
UV := $(VENV)/lock/bin/uv
LOCK := $(UV) pip compile --quiet pyproject.toml - --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: matrix bench-voices bench-memory help install run demo test test-debian test-long soak check bench bench-mqtt bench-reminders bench-db bench-idle bench-brain bench-language format secrets lock clean

help:  ## esta lista
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | \
		while IFS='|' read -r name text; do printf '%-20s %s\n' "$$name" "$$text"; done

install: $(VENV)/installed  ## prepara tudo em .venv, sem começar nada
	@:

run: install  ## começa o Mordomo (ARGS="--no-demo-house" e outros)
	@exec $(BIN)/mordomo run $(ARGS)

demo: install  ## cinco cenas faladas, do som à luz acesa, sem baixar nada
	@exec $(BIN)/mordomo demo $(ARGS)

test: $(VENV)/installed-dev  ## todos os testes (ARGS="tests/db -x" para alguns)
	@$(BIN)/pytest $(ARGS)

test-debian: $(VENV)/installed-dev  ## os testes de servidores, contra o PostgreSQL e o mosquitto do Debian
	@MORDOMO_TEST_POSTGRES=debian $(BIN)/pytest -m debian $(ARGS)

test-long: $(VENV)/installed-dev  ## o que leva minutos: caos de lembretes e de aparelhos, dez mil regras
	@$(BIN)/pytest -m long $(ARGS)

soak: $(VENV)/installed-dev  ## uma hora de caos de lembretes
	@$(BIN)/pytest -m soak $(ARGS)

check: $(VENV)/installed-dev  ## o que a integração contínua roda: formato, regras, tipos, camadas, testes
	@$(BIN)/ruff format --quiet --check . || { echo 'Fora do formato. Rode: make format'; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/pytest $(ARGS)

bench: $(VENV)/installed-dev  ## quanto de uma resposta é nosso, sem os motores (ARGS="--turns 50")
	@$(BIN)/python -m tests.bench.turn $(ARGS)
	@$(BIN)/python -m tests.bench.turn --command $(ARGS)

bench-db: $(VENV)/installed-dev  ## o banco de dados, em cinco minutos (ARGS="--rows 10000000 --messages 1000000 --logs 1000000")
	@$(BIN)/python -m tests.bench.db $(ARGS)

bench-reminders: $(VENV)/installed-dev  ## o atraso dos lembretes, e o de uma volta depois de muito tempo (ARGS="--rows 10000000")
	@$(BIN)/python -m tests.bench.reminders $(ARGS)

bench-mqtt: $(VENV)/installed-dev  ## do pedido entendido ao aparelho, e uma enxurrada de estados (ARGS="--entities 2000 --turns 400")
	@$(BIN)/python -m tests.bench.mqtt $(ARGS)

bench-idle: $(VENV)/installed-dev  ## memória e processador do Mordomo parado, com um microfone
	@$(BIN)/python -m tests.bench.idle $(ARGS)

bench-brain: $(VENV)/installed-dev  ## quanto de uma resposta do modelo de linguagem é nosso (ARGS="--turns 300 --memories 10000")
	@$(BIN)/python -m tests.bench.brain $(ARGS)

bench-memory: $(VENV)/installed-dev  ## o que a casa lembra: acerto e tempo com 100 mil lembranças (ARGS="--memories 5000")
	@$(BIN)/python -c 'import qdrant_edge' 2>/dev/null || $(BIN)/pip install --quiet qdrant-edge-py
	@PYTHONPATH=tests $(BIN)/python -m bench.memory $(ARGS)

bench-language: $(VENV)/installed-dev  ## a compreensão das frases (INTENTS e DUCKLING: cópias de OHF-Voice/intents e facebook/duckling)
	@missed=0; \
	$(BIN)/python -m tests.bench.language || missed=1; \
	test -z "$(INTENTS)" || $(BIN)/python -m tests.bench.ohf $(INTENTS) || missed=1; \
	test -z "$(DUCKLING)" || $(BIN)/python -m tests.bench.duckling $(DUCKLING) || missed=1; \
	exit $$missed

matrix: $(VENV)/installed-dev  ## refaz a tabela de quem pode o quê que os testes comparam; confira o que mudou
	@MORDOMO_WRITE_MATRIX=1 $(BIN)/pytest -q tests/daemon/people/test_matrix.py

bench-voices: $(VENV)/installed-dev  ## quanto se distinguem as vozes (ARGS="--real PASTA": gravações de gente, uma pasta por pessoa)
	@$(BIN)/python -m tests.bench.voices $(ARGS)

format: $(VENV)/installed-dev  ## põe o código no formato
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

secrets: install  ## senhas novas para o docker compose: .env e config/mosquitto.passwords
	@$(BIN)/python -m config.passwords

lock: $(UV)  ## refaz requirements*.lock (ARGS=--upgrade para versões novas)
	@printf 'hatchling\neditables\n' | $(LOCK) $(ARGS) -o requirements.lock
	@printf 'hatchling\neditables\n' | $(LOCK) $(ARGS) --extra dev -c requirements.lock -o requirements-dev.lock

clean:  ## apaga .venv e o que as ferramentas guardaram; os dados da casa ficam
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A checkout copied with its .venv holds scripts that point to the old place: then it is made anew.
ifneq ($(shell grep -lF "$(CURDIR)/$(VENV)/" $(BIN)/pip 2>/dev/null),$(BIN)/pip)
$(VENV)/installed: FORCE
endif
FORCE:

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'O Mordomo precisa do Python 3.11 ou mais novo. Indique-o assim: make $(MAKECMDGOALS) PYTHON=python3.11'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo 'Falta o módulo venv do Python. Rode: sudo apt install python3-venv'; exit 1; }
	@grep -qsF "$(CURDIR)/$(VENV)/" $(BIN)/pip && $(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo 'Instalando o Mordomo em .venv: na primeira vez, um a três minutos…'
	@$(FETCH) -r requirements.lock || { echo 'Não consegui instalar as dependências. Há rede? Rode de novo.'; exit 1; }
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo 'Instalando as ferramentas de desenvolvimento…'
	@$(FETCH) -r requirements-dev.lock
	@touch $@

$(UV):
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet uv==0.13.8
