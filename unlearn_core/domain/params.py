"""A method's hyperparameters: one declaration for validation, widgets, URLs, sweeps, tables and run specs."""

from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

from unlearn_core.domain.errors import InvalidHyperparameterError, NotFoundError

NumberScale = Literal["linear", "log"]


_KINDS: dict[Any, Literal["int", "float", "bool"]] = {int: "int", float: "float", bool: "bool"}


class HyperparameterInfo(NamedTuple):
    """The description of one hyperparameter. `kind` is the type of its value."""

    name: str
    kind: Literal["int", "float", "bool", "choice", "numbers"]
    default: Any
    title: str
    explain: str
    low: float | None
    high: float | None
    scale: NumberScale
    step: float | None
    unit: str
    symbol: str
    advanced: bool
    choices: tuple[str, ...]


INT_LIST_PATTERN = r"^\d{1,3}(,\d{1,3}){0,19}$"
"""The text of a hyperparameter of kind "numbers": whole numbers separated by commas."""


def parse_int_list(text: str) -> tuple[int, ...]:
    """The whole numbers of a text such as "1,2,2"."""
    return tuple(int(part) for part in text.split(","))


def hyperparameter(
    default: Any,
    *,
    title: str,
    explain: str,
    low: float | None = None,
    high: float | None = None,
    scale: NumberScale = "linear",
    step: float | None = None,
    unit: str = "",
    symbol: str = "",
    advanced: bool = False,
    choices: tuple[str, ...] = (),
    came_later: bool = False,
) -> Any:
    """Declare a field of a BaseHyperparameters model.

    `title` is the widget's label, `explain` one plain sentence, `symbol` the paper's symbol. Numbers need `low` and
    `high`; a value outside is rejected. `choices` makes it a choice. A text without choices is a list of whole
    numbers ("1,2,2"). One that `came_later` is left out of the values while it has its default, so that specs from
    before it keep their fingerprints.
    """
    extra: JsonDict = {"title": title, "explain": explain, "scale": scale, "step": step, "unit": unit, "symbol": symbol}
    extra |= {"advanced": advanced, "low": low, "high": high, "choices": [*choices]}
    pattern = "^(" + "|".join(choices) + ")$" if choices else INT_LIST_PATTERN if isinstance(default, str) else None

    def is_default(value: object) -> bool:
        return value == default

    left_out = is_default if came_later else None
    return Field(default, ge=low, le=high, pattern=pattern, json_schema_extra=extra, exclude_if=left_out)


class BaseHyperparameters(BaseModel):
    """The values of one method's hyperparameters; frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def hyperparameters(cls) -> dict[str, HyperparameterInfo]:
        """All hyperparameters by name, in the order of declaration."""
        found: dict[str, HyperparameterInfo] = {}
        for name, field in cls.model_fields.items():
            declared = field.json_schema_extra
            extra: dict[str, Any] = {} if declared is None or callable(declared) else {**declared}
            choices = tuple(extra.pop("choices"))
            kind = "choice" if choices else "numbers" if field.annotation is str else _KINDS[field.annotation]
            found[name] = HyperparameterInfo(name=name, kind=kind, default=field.default, choices=choices, **extra)
        return found

    def updated(self, values: dict[str, Any]) -> Self:
        """A copy with some values changed. Raises NotFoundError or InvalidHyperparameterError."""
        return self.parse(self.model_dump() | values)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Hyperparameters from names and values, which may be text (command line, URL)."""
        try:
            return cls.model_validate(values)
        except ValidationError as problem:
            raise cls._explained(problem) from None

    @classmethod
    def _explained(cls, problem: ValidationError) -> InvalidHyperparameterError | NotFoundError:
        first = problem.errors()[0]
        name, known = str(first["loc"][0]), cls.hyperparameters()
        if name not in known:
            return NotFoundError("hyperparameter", name, list(known))
        wanted = known[name]
        if wanted.choices:
            span = "one of " + ", ".join(wanted.choices)
        elif wanted.kind == "numbers":
            span = "whole numbers separated by commas, such as 1,2,2"
        elif wanted.kind == "bool":
            span = "true or false"
        else:
            whole = "a whole number" if wanted.kind == "int" else "a number"
            span = f"{whole} from {wanted.low:g} to {wanted.high:g}"
        return InvalidHyperparameterError(f"{wanted.title} ({name}) cannot be {first['input']!r}: it takes {span}.")
