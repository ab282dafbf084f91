"""The kind of model that plans and targets are."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidatorFunctionWrapHandler, field_validator

from nightbench.form import as_form


class Frozen(BaseModel):
    """Its values never change; unknown fields, NaN and infinity are refused, and true and false for numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=as_form)

    @field_validator("*", mode="wrap")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        valid = validate(value)
        # pydantic takes true for 1; strict, it would take no text, as of a variable, for a number
        if isinstance(value, bool) and isinstance(valid, int | float) and not isinstance(valid, bool):
            msg = "a number is due, not true or false"
            raise ValueError(msg)  # noqa: TRY004  # pydantic hears of nothing else
        return valid
