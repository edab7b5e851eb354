"""The ground of the models of files: what a text, a yes or no and a free value are, and that nothing unknown stands."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sync.mapping.yaml import Plain
from sync.model import Json


def _yes_or_no(value: object) -> object:
    if isinstance(value, str):
        if value == "true":
            return True
        if value == "false":
            return False
        raise ValueError("is neither true nor false")
    return value


def _free(value: object) -> Json:
    """A free value: what stood without quotes and is a number, true, false or null is that; all else is text."""
    if isinstance(value, dict):
        return {str(key): _free(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_free(part) for part in value]
    if isinstance(value, Plain):
        if value in ("true", "false"):
            return value == "true"
        if value in ("", "null", "~"):
            return None
        for number in (int, float):
            try:
                read = number(value)
            except ValueError:
                continue
            # `012`, `1_000`, `nan`: text that Python takes for a number, and a person or JSON may not.
            if str(read) == value and isfinite(read):
                return read
    return str(value) if isinstance(value, str) else value


YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Free = Annotated[Any, BeforeValidator(_free)]
Text = Annotated[str, Field(min_length=1)]
RawMap = dict[Text, Text]


class Strict(BaseModel):
    """The ground of all of them: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
