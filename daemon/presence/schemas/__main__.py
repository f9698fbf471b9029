"""Write the schemas beside this file, from the messages' own declarations."""

import json
from pathlib import Path

from daemon.presence.messages import SCHEMAS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def written(name: str) -> str:
    """Return the text of one schema's file."""
    schema = {"$schema": DIALECT, **SCHEMAS[name].model_json_schema()}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    for schema_name in SCHEMAS:
        Path(__file__).with_name(f"{schema_name}.json").write_text(written(schema_name), encoding="utf-8")
