"""Every error that the lab raises on purpose; each message says what happened and what to do next."""


class UnlearnError(Exception):
    """The root of the tree: catch this one to show a person what went wrong."""


class NotFoundError(UnlearnError):
    """A name that is on no shelf: a classifier, data set, method, preset, class or knob."""

    def __init__(self, what: str, name: object, known: list[str]) -> None:
        super().__init__(f"There is no {what} called {name!r}. Known: {', '.join(known) or 'none'}.")


class InvalidRequestError(UnlearnError):
    """A forget request that cannot be carried out: empty, everything, or out of range."""


class InvalidHyperparameterError(UnlearnError):
    """A hyper-parameter outside its range or of the wrong kind."""


class NotSupportedError(UnlearnError):
    """A method asked for a kind of request that it cannot serve."""


class UndeclaredDataAccessError(UnlearnError):
    """A method reached for pictures that it declared it does not need."""


class CorruptAssetError(UnlearnError):
    """A bundled file that is missing or does not match its checksum."""


class InvalidDatasetError(UnlearnError):
    """Pictures that somebody brings and that cannot be used, or are refused before they are opened."""


class InvalidCheckpointError(UnlearnError):
    """A checkpoint that somebody brings and that is refused: damaged, dangerous, too large, or of another net."""


class FileUnavailableError(UnlearnError):
    """A file that is not on this machine and cannot be downloaded: says which, and where to put it by hand."""


class PluginError(UnlearnError):
    """A file in a folder of plug-ins does not define what every file there must define."""


class StoreError(UnlearnError):
    """The data folder cannot be read or written, or was made by a newer release."""


class LeaseLostError(UnlearnError):
    """Somebody reports on a run that is no longer theirs: it was given to another, or is over."""


class WorkerError(UnlearnError):
    """A worker cannot start or be stopped."""


class WorkerAlreadyRunningError(WorkerError):
    """A worker of the same code serves this device and data folder already."""


class DeviceNotFoundError(UnlearnError):
    """A device that this machine does not have."""


class DivergedError(UnlearnError):
    """The loss is no longer a number: the knobs were too strong for this net."""


class CancelledError(UnlearnError):
    """Somebody asked for this run to stop."""


class PreemptedError(UnlearnError):
    """A background training saved its state and left the device to something more urgent."""
