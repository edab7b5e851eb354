"""Writes the JSON Schemas of `mappings/` and `docs/mappings-reference.md` anew: `python -m tests.mappings.refresh`."""

from importlib.resources import files
from pathlib import Path

from sync.mapping import jsonschema, reference

REFERENCE = Path(__file__).parents[2] / "docs" / "mappings-reference.md"

if __name__ == "__main__":
    for name, model in jsonschema.FILES.items():
        Path(str(files("mappings"))).joinpath(name).write_text(jsonschema.text(model), encoding="utf-8")
    REFERENCE.write_text(reference.text(), encoding="utf-8")
