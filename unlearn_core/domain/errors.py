"""All errors that Unlearn Lab raises on purpose; each message says what happened and what to do next."""


class UnlearnError(Exception):
    """The base class: catch it to show a person what went wrong."""


class NotFoundError(UnlearnError):
    """An unknown name: of a classifier, data set, method, preset, class or hyperparameter."""

    def __init__(self, what: str, name: object, known: list[str]) -> None:
        super().__init__(f"There is no {what} called {name!r}. Known: {', '.join(known) or 'none'}.")


class InvalidRequestError(UnlearnError):
    """A forget request that is not possible: empty, of all data, or out of range."""


class InvalidHyperparameterError(UnlearnError):
    """A hyperparameter outside its range or of the wrong type."""


class NotSupportedError(UnlearnError):
    """A request, method or model combination that is not supported."""


class UndeclaredDataAccessError(UnlearnError):
    """A method accessed images that it declared not to need."""


class CorruptAssetError(UnlearnError):
    """A bundled file that is missing or does not match its checksum."""


class InvalidDatasetError(UnlearnError):
    """An uploaded data set that cannot be used, or is rejected before it is opened."""


class QuotaExceededError(UnlearnError):
    """An upload for which a visitor, or all of them together, have no room left."""


class InvalidCheckpointError(UnlearnError):
    """A checkpoint that is rejected: damaged, unsafe, too large, or of another model."""


class FileUnavailableError(UnlearnError):
    """A file that is not on this machine and cannot be downloaded; the message says where to put it by hand."""


class InvalidLessonError(UnlearnError):
    """A file of a lesson that cannot be used, or that says what does not hold for its runs."""


class PluginError(UnlearnError):
    """A plug-in package is missing, or a file in a plug-in folder lacks the definition that every file there has."""


class InvalidSettingError(UnlearnError):
    """An environment variable of ours has a value that is not allowed."""


class StoreError(UnlearnError):
    """The data folder cannot be read or written, or was made by a newer release."""


class DamagedRunError(StoreError):
    """The row of a run in the database cannot be read."""

    def __init__(self, run: int, cause: str) -> None:
        super().__init__(
            f"The record of run {run} in the database is damaged ({cause}), and its folder has no copy of it. The "
            "other runs are not affected. Delete it in the history, then start it again."
        )


class DamagedSweepError(StoreError):
    """The rows of a sweep or of its trials in the database cannot be read."""

    def __init__(self, sweep: int, cause: str) -> None:
        super().__init__(
            f"The record of sweep {sweep} in the database is damaged ({cause}), so it cannot go on. Its runs are still "
            "in the history. Start the sweep again."
        )


class DamagedReportError(StoreError):
    """The report of a run cannot be read."""


class NotAllowedError(UnlearnError):
    """Somebody wants to change what belongs to somebody else."""

    def __init__(self, what: str, owner: str) -> None:
        super().__init__(f"{what} belongs to {owner}: only they, or the operator of this server, can change it.")


class SignInError(UnlearnError):
    """Nobody has signed in, or their sign-in has ended; or sign-in is not set up completely."""


class InvalidCodeError(UnlearnError):
    """A code with which somebody wants to go on in another browser, and which is not valid."""


class LeaseLostError(UnlearnError):
    """A worker reports on a run whose lease it lost: the run has finished or was reassigned."""


class WorkerError(UnlearnError):
    """A worker cannot start or be stopped."""


class WorkerAlreadyRunningError(WorkerError):
    """A worker of the same release already serves this device and data folder."""


class DeviceNotFoundError(UnlearnError):
    """A device that does not exist on this machine."""


class MissingMemoryError(UnlearnError):
    """A device, or the machine, has less free memory than a run like this one took."""


class DivergedError(UnlearnError):
    """The loss is no longer finite: the hyperparameters were too strong for this model."""


class CancelledError(UnlearnError):
    """The run was cancelled."""


class PreemptedError(UnlearnError):
    """A background training run saved its state and was preempted by a more urgent run."""
