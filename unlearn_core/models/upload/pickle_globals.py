"""List what the pickles in a checkpoint ask for, without loading them, and refuse what acts.

Source: pickletools of the standard library, which only reads. A file that deceives this list gains nothing by it:
torch's reader finds only what it allows by default, and stubs of ours.
"""

import io
import pickletools
import re
import sys
from typing import NamedTuple

from torch._utils import IMPORT_MAPPING, NAME_MAPPING

from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.header_checks import MAX_HEADER_BYTES, SAVE_HINT

MAX_GLOBALS = 2_000
"""At most this many classes and functions may be named in a checkpoint."""

HARMLESS_MODULES = {
    *("argparse", "array", "collections", "contextlib", "copyreg", "dataclasses", "datetime", "decimal", "enum"),
    *("fractions", "ipaddress", "itertools", "logging", "math", "numbers", "pathlib", "random", "re", "string"),
    *("time", "typing", "uuid", "weakref", "zoneinfo"),
}
"""The modules of the standard library whose objects lie beside weights; all others of it act."""

HARMLESS_GLOBALS = {
    *(f"builtins.{name}" for name in ("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int")),
    *(f"builtins.{name}" for name in ("list", "object", "range", "set", "slice", "str", "tuple")),
    *("_codecs.encode", "functools.partial", "types.SimpleNamespace", "torch.serialization._get_layout"),
    *("torch.storage.TypedStorage", "torch.storage.UntypedStorage"),
    *(f"numpy.random._pickle.__{name}_ctor" for name in ("bit_generator", "generator", "randomstate")),
}
"""What does not act, although it lies in a module that does."""

ACTING = {
    *("commands", "nt", "popen2"),  # Of Python 2 or of other systems.
    *(
        "IPython",
        "aiohttp",
        "cffi",
        "cloudpickle",
        "dill",
        "fsspec",
        "httpx",
        "joblib",
        "numba",
        "pip",
        "pkg_resources",
    ),
    *("pyximport", "ray", "requests", "setuptools", "sympy", "tensorflow", "urllib3"),
    *("logging.config", "pandas.eval", "pandas.io", "pandas.read_pickle", "torchvision.datasets"),
    *(f"numpy.{name}" for name in ("DataSource", "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "save")),
    *(f"torch.{name}" for name in ("compile", "from_file", "load", "save")),
}
"""What acts outside of the standard library, and what acts in harmless modules, with all that lies in it."""

INERT_PARTS = {
    "numpy": re.compile(r"numpy\.(\w+|(_?core\.)?(multiarray|numeric)\.\w+|(dtypes|ma|matrixlib|random)\.[\w.]+)"),
    "torch": re.compile(
        r"torch\.(\w+|_utils\._rebuild\w+|_C\.(_nn|_VariableFunctions)\.\w+|cuda\.\w*(Storage|Tensor)|"
        r"(_tensor|amp|ao|cuda\.amp|distributions|functional|nn|optim|return_types|utils\.hooks)\.[\w.]+)"
    ),
}
"""What does not act in these two; all else in them does."""

_REACHED = {"builtins", "ctypes", "hub", "importlib", "jit", "nt", "os", "pickle", "posix", "runpy", "shutil", "socket"}
_REACHED |= {"subprocess", "sys"}
"""Modules that act also where the name of a harmless one leads to them, such as `argparse._sys`."""


class Pickles(NamedTuple):
    """What the pickles of a file ask for."""

    globals: set[str]
    """Classes and functions, each as its module, a dot and its name."""
    protocol: int


def read(data: bytes, count: int = 1) -> Pickles:
    """What `count` pickles in a row ask for. Raises InvalidCheckpointError if they cannot be read."""
    found, protocol, texts = set(), 0, ["", ""]
    file = io.BytesIO(data[:MAX_HEADER_BYTES])
    try:
        for _ in range(count):
            for operation, argument, _ in pickletools.genops(file):
                if operation.name == "PROTO":
                    protocol = max(protocol, argument or 0)
                elif operation.name in ("GLOBAL", "INST"):
                    found.add(_path(*str(argument).split(" ", 1)))
                elif operation.name == "STACK_GLOBAL":
                    found.add(_path(*texts))
                elif isinstance(argument, str):
                    texts = [texts[1], argument]
    except (ValueError, IndexError, OverflowError) as problem:
        raise InvalidCheckpointError(
            f"Its pickle cannot be read ({type(problem).__name__}): the file is damaged."
        ) from None
    if len(found) > MAX_GLOBALS:
        raise InvalidCheckpointError(f"It names {len(found):,} classes and functions: it is malicious. {SAVE_HINT}")
    return Pickles(found, protocol)


def refuse_acting(paths: set[str]) -> None:
    """Raises InvalidCheckpointError if one of these classes and functions acts when it is called."""
    for path in sorted(filter(acts, paths)):
        readable = re.sub(r"[^\w.]", "?", path)[:80]
        raise InvalidCheckpointError(
            f"It would run {readable} while it is loaded, and code from files is never run here. {SAVE_HINT}"
        )


def acts(path: str) -> bool:
    """Whether a class or function comes from a module that acts: on files, processes or the interpreter."""
    top, *inner = path.split(".")
    if path in HARMLESS_GLOBALS:
        return False
    if any(part.strip("_") in _REACHED or re.fullmatch("__.*__", part) for part in inner):
        return True
    if any(f"{path}.".startswith(f"{one}.") for one in ACTING) or re.fullmatch("__(?!main|mp_main).*__", top):
        return True
    if top in INERT_PARTS:
        return not INERT_PARTS[top].fullmatch(path) or not INERT_PARTS.keys().isdisjoint(inner)
    return top in sys.stdlib_module_names and top not in HARMLESS_MODULES


def _path(module: str, name: str) -> str:
    """The module and name of today for those of Python 2, as torch's reader has them."""
    if (module, name) in NAME_MAPPING:
        return ".".join(NAME_MAPPING[module, name])
    return f"{IMPORT_MAPPING.get(module, module)}.{name}"
