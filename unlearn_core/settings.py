"""The settings: every environment variable that this project reads, with its values, default and meaning.

The variable of a setting is UNLEARN_ and its name in capitals; docs/settings.md lists them. An empty variable is unset.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from unlearn_core.domain.errors import InvalidSettingError

PREFIX = "UNLEARN_"

Person = Annotated[str, Field(pattern=r"^(\*|group:[^,]+|[^@\s,:]*@[^@\s,:]+)$")]
"""An entry of a list of people: an address, a domain after "@", a group after "group:", or "*"."""


class UploadLimits(BaseModel):
    """The limits of uploads, images and prepared data sets; also known to the process that decodes."""

    model_config = ConfigDict(frozen=True)

    most_upload_mb: int = Field(
        default=200,
        ge=1,
        description="MB of an uploaded zip; `server.maxUploadSize` in `.streamlit/config.toml` limits all uploads",
    )
    most_uploads_mb: int = Field(
        default=1_000,
        ge=1,
        description="MB of the uploads of all visitors together, in the server's memory; and of those on its disk that "
        "wait for their import",
    )
    most_unpacked_mb: int = Field(default=2_000, ge=1, description="MB of all files of a zip together, unpacked")
    most_pictures: int = Field(default=200_000, ge=1, description="images of a data set")
    most_pixels: int = Field(
        default=25_000_000,
        ge=1,
        description="width times height of an image before it is resized; eight times as much for a JPEG, and twice "
        "for a progressive one",
    )
    most_classes: int = Field(default=1_000, ge=2, description="classes of a data set")
    least_per_class: int = Field(
        default=3, ge=1, description="the fewest images of a class: one each for training, validation and test"
    )
    most_unusable: int = Field(
        default=10, ge=1, le=100, description="per cent of the images that may be skipped because they cannot be read"
    )
    most_folder_gb: int = Field(
        default=50, ge=1, description="GB of all prepared data sets together, including those in the trash"
    )
    most_minutes: int = Field(default=60, ge=1, description="minutes that the decoding of one data set may take")
    most_memory_mb: int = Field(
        default=1_500, ge=1, description="MiB of memory of the process that decodes; 300 more for each of its threads"
    )

    @property
    def max_file_bytes(self) -> int:
        """The largest size of an image file in bytes: that of its uncompressed pixels, and a little more."""
        return 4 * self.most_pixels + (1 << 20)


class Settings(BaseSettings, UploadLimits):  # pyright: ignore[reportIncompatibleVariableOverride] (pydantic merges both)
    """All settings. Read them with `settings()`, which puts a bad value into a sentence."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    home: Path | None = Field(
        default=None, description="the data folder; if unset, `data` in a checkout, else `~/.local/share/unlearn-lab`"
    )
    database: str | None = Field(
        default=None,
        repr=False,
        description="the run database, as an SQLAlchemy URL; if unset, SQLite in the data folder",
    )
    worker: Literal["auto", "none"] = Field(
        default="auto", description="whether the web server starts a worker if there is none"
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        description="threads of a job on the CPU; if unset, as many as there are idle cores when it starts; "
        "OMP_NUM_THREADS and MKL_NUM_THREADS go first",
    )
    warmup: Literal["auto", "none"] = Field(
        default="auto", description="whether the web server loads torch in the background"
    )
    plugins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="packages with further methods, charts, classifiers or data sets; each mirrors our folders",
    )
    allow_hub: bool = Field(
        default=False, description="whether users may load weights from repositories of the Hugging Face Hub"
    )
    data_root: Path | None = Field(
        default=None,
        description="the one folder from which data sets are read: a torchvision root, `lfw_funneled`, folders of "
        "class folders; for `make bundle` and a few tests too; if unset, none may be read",
    )
    sharing: Literal["open", "private"] = Field(
        default="open",
        description="whether visitors may read each other's runs, classifiers and data sets; with private, only what "
        "its owner shared. Nobody but the operator can change those of others",
    )
    sign_in: Literal["off", "required"] = Field(
        default="off", description="whether people sign in, with OpenID Connect (docs/operations.md)"
    )
    sign_in_allowed: Annotated[tuple[Person, ...], NoDecode] = Field(
        default=(),
        repr=False,
        description="who may sign in: addresses (`anna@uni.example`), domains (`@uni.example`), groups (`group:ml`), "
        "or `*` for everybody who has an account with the provider",
    )
    sign_in_admins: Annotated[tuple[Person, ...], NoDecode] = Field(
        default=(), repr=False, description="who may do everything that the operator may, written in the same way"
    )
    sign_in_hours: float = Field(
        default=12, gt=0, le=720, description="hours after which somebody who signed in must do so again"
    )
    sign_in_groups: str = Field(default="groups", description="the claim in which the provider lists a person's groups")
    sign_in_addresses: Literal["verified", "all"] = Field(
        default="verified",
        description="which addresses count: those that the provider calls verified, or also those of which it does not "
        "say whether they are",
    )
    lessons: Path | None = Field(
        default=None, description="a folder with lessons of one's own (docs/lessons.md); the page Lessons lists them"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)] = Field(
        default="info",
        description="the least severe messages that a worker and the web server log; with debug, a command that fails "
        "for an unforeseen reason also prints its traceback",
    )
    most_silent_minutes: int = Field(
        default=10,
        ge=1,
        description="minutes that a run may make no step before it is stopped, so that the next one starts; longer if "
        "the whole run is forecast to take longer, and six times as long without a forecast",
    )
    most_run_memory_mb: int | None = Field(
        default=None,
        ge=100,
        description="MiB of memory that a run on the CPU may use beyond what the lab itself takes; if unset, all there "
        "is",
    )
    most_visitor_gb: int = Field(
        default=5,
        ge=1,
        description="GB of a visitor's uploads, data sets and classifiers together; the operator has no such limit",
    )
    keep_days: int | None = Field(
        default=None,
        ge=1,
        description="days after which a finished run is deleted, unless it is pinned; announced three days before",
    )
    keep_runs: int | None = Field(
        default=None, ge=1, description="finished runs that each visitor keeps: the newest and the pinned ones"
    )
    keep_gb: int | None = Field(
        default=None,
        ge=1,
        description="GB of all runs together; beyond, first the weights of the oldest are deleted, then their reports",
    )
    most_checkpoint_mb: int = Field(default=500, ge=1, description="MiB of an uploaded checkpoint")
    most_checkpoint_seconds: int = Field(
        default=60, ge=1, description="seconds that the process may take that loads it"
    )
    most_trained_gb: int = Field(
        default=20,
        ge=1,
        description="GiB of own classifiers, retrained models, the models that a score or an attack needed, and "
        "uploads together",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
        for name in ("plugins", "sign_in_allowed", "sign_in_admins"):
            if isinstance(stripped.get(name), str):
                stripped[name] = tuple(filter(None, (entry.strip() for entry in stripped[name].split(","))))
        return {name: value for name, value in stripped.items() if value != ""}


def settings() -> Settings:
    """Return the settings that the environment gives now. Raises InvalidSettingError if a value is not allowed."""
    # Pages ask a hundred times, and each value that is looked at is decoded anew: so names first.
    return _read(frozenset((name, os.environ[name]) for name in os.environ if name.startswith(PREFIX)))


def is_sign_in_required() -> bool:
    """Return whether people must sign in. Where any setting has a value that is not allowed, in doubt they must."""
    try:
        return settings().sign_in == "required"
    except InvalidSettingError:
        given = {name.upper(): value.strip() for name, value in os.environ.items()}
        return given.get(variable("sign_in"), "") not in ("", "off")


@lru_cache(maxsize=1)
def _read(_environment: frozenset[tuple[str, str]]) -> Settings:
    try:
        return Settings()
    except ValidationError as problem:
        sentences = (
            f"{variable(name)} is {str(found['input'])[:40]!r}: set it to {allowed_values(name)}, or unset it."
            for found in problem.errors()
            for name in map(str, found["loc"][:1])
        )
        raise InvalidSettingError(" ".join(sentences)) from None


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def allowed_values(name: str) -> str:
    """Return what a setting may be set to, in words."""
    match Settings.model_json_schema()["properties"][name]:
        case {"type": "boolean"}:
            return "1 or 0"
        case {"minimum": least, "maximum": most}:
            return f"a whole number from {least} to {most}"
        case {"minimum": least}:
            return f"a whole number of at least {least}"
        case {"enum": [*others, last]}:
            return f"{', '.join(others)} or {last}"
        case {"exclusiveMinimum": least, "maximum": most}:
            return f"a number above {least:g}, at most {most:g}"
        case {"type": "array", "items": {"pattern": _}}:
            return "addresses (anna@uni.example), domains (@uni.example) or groups (group:ml), comma-separated"
        case {"type": "array"}:
            return "names, comma-separated"
        case {"anyOf": [{"minimum": least}, *_]}:
            return f"a whole number of at least {least}"
        case {"anyOf": [{"format": "path"}, *_]}:
            return "a folder"
        case _:
            return "text"


def limit_hint(name: str) -> str:
    """Return the sentence that follows when a limit is exceeded."""
    return f"The operator of this server can change {variable(name)}."
