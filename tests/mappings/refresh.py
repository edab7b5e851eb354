"""Writes the JSON Schemas of `mappings/` anew: `python -m tests.mappings.refresh`."""

from importlib.resources import files
from pathlib import Path

from sync.mapping import jsonschema

if __name__ == "__main__":
    for name, model in jsonschema.FILES.items():
        Path(str(files("mappings"))).joinpath(name).write_text(jsonschema.text(model), encoding="utf-8")
