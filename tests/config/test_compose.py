"""docker-compose.yml against a strict model of what it may say: no Docker engine is needed to find a mistake."""

import re
import shlex
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from config.environment import Environment

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
REFERENCE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z_]+)(?P<rest>[^}]*)\}")
SECRET = re.compile(r"PASSWORD|KEY|SECRET|TOKEN")


def pinned(image: str) -> str:
    name, _, tag = image.rpartition(":")
    assert name, f"{image} has no tag"
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?", tag), f"{image} is not pinned to a version"
    return image


def on_loopback(port: str) -> str:
    published = REFERENCE.sub(lambda found: found["rest"].removeprefix(":-"), port)
    assert re.fullmatch(r"127\.0\.0\.1:\d{2,5}:\d{2,5}", published), f"{port} is published beyond this machine"
    return port


Image = Annotated[str, AfterValidator(pinned)]
Port = Annotated[str, AfterValidator(on_loopback)]
Duration = Annotated[str, StringConstraints(pattern=r"^\d+(s|m)$")]
Size = Annotated[str, StringConstraints(pattern=r"^\d+(m|g|mb|gb)$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Healthcheck(Strict):
    test: Annotated[list[str], Field(min_length=2)]
    interval: Duration
    timeout: Duration
    retries: Annotated[int, Field(ge=1, le=10)]
    start_period: Duration


class LogOptions(Strict):
    max_size: Annotated[Size, Field(alias="max-size")]
    max_file: Annotated[str, Field(alias="max-file")]


class Logging(Strict):
    driver: Literal["json-file"]
    options: LogOptions


class Dependency(Strict):
    condition: Literal["service_started", "service_healthy"]


class Service(Strict):
    image: Image
    build: str | None = None
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    network_mode: Literal["none"] | None = None
    environment: dict[str, str] = {}
    volumes: Annotated[list[str], Field(min_length=1)]
    ports: list[Port] = []
    healthcheck: Healthcheck
    restart: Literal["unless-stopped", "always"]
    depends_on: dict[str, Dependency] = {}
    mem_limit: Size
    security_opt: list[str]
    logging: Logging
    stop_grace_period: Duration | None = None
    shm_size: Size | None = None
    init: bool = False
    read_only: bool = False
    tmpfs: list[str] = []
    device_cgroup_rules: list[str] = []
    group_add: list[str] = []


class Compose(Strict):
    name: str
    shared: Annotated[dict[str, object], Field(alias="x-service")]
    services: dict[str, Service]
    volumes: dict[str, None]


@pytest.fixture(scope="module")
def compose() -> Compose:
    return Compose.model_validate(yaml.safe_load(COMPOSE.read_text()))


def test_every_part_of_the_house_is_there(compose: Compose) -> None:
    assert set(compose.services) == {"postgres", "archive", "mosquitto", "qdrant", "ollama", "mordomo"}
    assert compose.services["postgres"].image.startswith("postgres:16.")
    assert compose.services["archive"].image == compose.services["postgres"].image  # it raises the same server
    for service in compose.services.values():
        assert "no-new-privileges:true" in service.security_opt


def test_mordomo_waits_for_the_servers_it_cannot_do_without(compose: Compose) -> None:
    needs = compose.services["mordomo"].depends_on
    assert {name for name, need in needs.items() if need.condition == "service_healthy"} == {"postgres", "mosquitto"}
    assert set(needs) == set(compose.services) - {"mordomo", "archive"}


def test_volumes_are_declared_and_used_and_files_exist(compose: Compose) -> None:
    sources = {volume.split(":")[0] for service in compose.services.values() for volume in service.volumes}
    named = {source for source in sources if not source.startswith((".", "/"))}
    assert named == set(compose.volumes)
    made = {f"./config/{name}" for name in (ROOT / "config/.gitignore").read_text().split()}  # by `make secrets`
    for source in sources - named - {"/dev/snd"}:
        assert source in made or (ROOT / source).is_file(), source
    for source in made & sources:
        assert (ROOT / f"{source}.example").exists() or source == "./config/mosquitto.passwords"


def test_what_a_service_is_told_to_read_is_given_to_it(compose: Compose) -> None:
    for name, service in compose.services.items():
        words = " ".join([*(service.entrypoint or ()), *(service.command or ()), *service.healthcheck.test])
        mounted = {volume.split(":")[1] for volume in service.volumes}
        assert set(re.findall(r"/etc/postgresql/[\w.-]+", words)) <= mounted, name
    script = (ROOT / "config/archive-keeper.sh").read_text()
    given = {volume.split(":")[1].rsplit("/", 1)[1] for volume in compose.services["archive"].volumes}
    assert set(re.findall(r"\$SCRIPTS/([\w.-]+)", script)) <= given


def test_the_archive_is_kept_by_one_seen_by_another_and_told_of_to_the_third(compose: Compose) -> None:
    where = {name: each for name, service in compose.services.items() for each in service.volumes if "archive:" in each}
    assert where.keys() == {"postgres", "archive", "mordomo"}
    assert where["mordomo"].endswith(":ro")
    assert compose.services["mordomo"].environment["MORDOMO_ARCHIVE_DIR"] == where["mordomo"].split(":")[1]
    postgres, keeper = compose.services["postgres"], compose.services["archive"]
    assert postgres.environment["PGDATA"] == keeper.environment["PGDATA"]
    assert {"postgres-data:/var/lib/postgresql/data", "postgres-socket:/var/run/postgresql"} <= {*postgres.volumes} & {
        *keeper.volumes
    }


def test_no_secret_is_written_down(compose: Compose) -> None:
    for service in compose.services.values():
        for name, value in service.environment.items():
            if SECRET.search(name):
                assert REFERENCE.fullmatch(value), f"{name} is written down"
            if "://" in value and "@" in value:
                assert re.search(rf"://\w+:{REFERENCE.pattern}@", value), f"{name} holds a password"
    for line in (ROOT / ".env.example").read_text().splitlines():
        name, _, value = line.lstrip("#").partition("=")
        assert value == "" or not SECRET.search(name), line


def test_every_variable_is_explained_or_has_a_default(compose: Compose) -> None:
    explained = {
        line.lstrip("#").split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line
    }
    used = {found["name"]: found["rest"] for found in REFERENCE.finditer(COMPOSE.read_text())}
    assert used.keys() == explained
    for name, rest in used.items():
        assert rest.startswith((":?", ":-")), f"{name} would be empty without a word"


def test_mordomos_variables_are_those_it_reads(compose: Compose) -> None:
    known = {f"MORDOMO_{name.upper()}" for name in Environment.model_fields}
    given = compose.services["mordomo"].environment
    assert set(given) <= known
    example = re.findall(r"^#?(MORDOMO_[A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert set(example) <= known
    values = {name.removeprefix("MORDOMO_").lower(): REFERENCE.sub(filled, value) for name, value in given.items()}
    read = Environment.model_validate(values)
    assert read.http_port == 8765
    assert read.database_url is not None
    urls = {"database_url": "mordomo_app", "database_owner_url": "mordomo", "mqtt_url": "mordomo"}
    for name, user in urls.items():
        url = getattr(read, name).get_secret_value()
        assert re.fullmatch(rf"\w+://{user}:x@(postgres:5432/mordomo|mosquitto:1883)", url)


def filled(found: re.Match[str]) -> str:
    return found["rest"][2:] if found["rest"].startswith(":-") else "x"


def test_health_checks_speak_to_the_ports_the_services_have(compose: Compose) -> None:
    for name, port in {"mordomo": "8765", "qdrant": "6333"}.items():
        assert port in " ".join(compose.services[name].healthcheck.test)
    for service in compose.services.values():
        for line in service.healthcheck.test[1:]:
            shlex.split(line)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("services.qdrant.image", "qdrant/qdrant:latest"),
        ("services.qdrant.image", "qdrant/qdrant"),
        ("services.postgres.ports", ["5432:5432"]),
        ("services.mosquitto.ports", ["${MQTT_BIND:-0.0.0.0}:1883:1883"]),
        ("services.ollama.restart", "no"),
        ("services.ollama.imagem", "x"),
        ("services.mordomo.healthcheck", None),
        ("volumes", ["postgres-data"]),
    ],
)
def test_the_model_refuses(path: str, wrong: object) -> None:
    document = yaml.safe_load(COMPOSE.read_text())
    *way, last = path.split(".")
    place = document
    for step in way:
        place = place[step]
    place[last] = wrong
    with pytest.raises(ValueError, match="validation error"):
        Compose.model_validate(document)


def test_the_image_is_built_from_files_that_are_sent_and_runs_as_nobody_special() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert set(copied) == sent
    for name in copied:
        assert (ROOT / name).exists(), name
    assert [line for line in lines if line.startswith("USER ")] == ["USER mordomo"]
    assert "--require-hashes" in "".join(lines)
    for line in lines:
        if line.startswith("FROM "):
            pinned(line.split()[1].replace("-slim-bookworm", "-slim"))
