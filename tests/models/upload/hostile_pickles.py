"""Checkpoints whose pickles try to act through names and opcodes that look allowed, with a part of each refusal."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from tests.data.hostile_files import good, saved
from tests.models.upload.checkpoints import (
    LEGACY,
    Net,
    beside_weights,
    called,
    in_other_pickle,
    named,
    text,
    with_pickle,
)

CANARY = "touch /tmp/unlearn-lab-canary"
CODE = "import os; os.system('touch /tmp/unlearn-lab-canary')"


class Hostile(NamedTuple):
    """How to make a file, and a part of the reason for which it is refused."""

    made: Callable[[], bytes]
    reason: str


def _beside(opcodes: bytes, reason: str) -> Hostile:
    return Hostile(lambda: beside_weights(opcodes, saved(good())), reason)


def _runs(module: str, name: str, *given: str) -> Hostile:
    path = f"{module}.{name}".replace("__builtin__", "builtins")
    return _beside(called(module, name, *given), f"would run {path} while it is loaded")


def _legacy(opcodes: bytes, reason: str) -> Hostile:
    return Hostile(lambda: beside_weights(opcodes, saved(good(), **LEGACY)), reason)


def _alone(opcodes: bytes, reason: str) -> Hostile:
    return Hostile(lambda: with_pickle(saved(good()), b"\x80\x02" + opcodes + b"."), reason)


def _itself() -> bytes:
    """A whole module that is its own child."""
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    net._modules["again"] = net
    return saved(net)


def _branching() -> bytes:
    """Modules of which each is twice the child of the one before."""
    net = torch.nn.Module()
    for _ in range(40):
        outer = torch.nn.Module()
        outer._modules.update(a=net, b=net)
        net = outer
    return saved(net)


def _hidden(name: str, value: object) -> bytes:
    """A parameter with an attribute that hides a method of tensors."""
    parameter = torch.nn.Parameter(torch.full((2, 2), float("nan")))
    setattr(parameter, name, value)
    return saved({"w": parameter})


_SYSTEM = named("posix", "system")
_TENSOR = named("torch._utils", "_rebuild_tensor_v2")

HOSTILE = {
    # Modules that others have imported, as attributes of harmless ones.
    "argparse": _runs("argparse", "_sys.modules.clear"),
    "pathlib": _runs("pathlib", "os.system", CANARY),
    "collections": _runs("collections", "_sys.exit"),
    "enum": _runs("enum", "sys.exit"),
    "a layer": _runs("torch.nn.modules.module", "torch.hub.load", "a/b", "net"),
    "a class of the user": _runs("models.resnet", "Net.__init__.__globals__"),
    # Functions of torch and numpy that read files or run texts.
    "torch.load": _runs("torch", "load", "/etc/passwd"),
    "torch.hub": _runs("torch.hub", "load", "a/b", "net"),
    "a pickle in a pickle": _runs("torch.storage", "_load_from_bytes", "abc"),
    "torch.serialization": _runs("torch.serialization", "load", "/etc/passwd"),
    "TorchScript": _runs("torch.jit", "load", "/tmp/x"),
    "torch.compile": _runs("torch._dynamo.guards", "GuardBuilder.get", CODE),
    "a command of torch": _runs("torch.utils.collect_env", "run", CANARY),
    "torch.fx": _runs("torch.fx.graph_module", "reduce_graph_module", CODE),
    "numpy.testing": _runs("numpy.testing._private.utils", "runstring", CODE),
    "numpy.load": _runs("numpy", "load", "/etc/passwd"),
    "pandas": _runs("pandas", "read_pickle", "/tmp/x"),
    # Harmless helpers of pickles, which need not be so.
    "getattr": _runs("__builtin__", "getattr", "x", "__class__"),
    "eval of Python 2": _runs("__builtin__", "eval", CODE),
    "an attribute": _runs("operator", "attrgetter", "__class__"),
    "a function made of code": _runs("types", "FunctionType", CODE),
    "reduce": _runs("functools", "reduce"),
    "logging": _runs("logging.config", "listen"),
    "joblib": _runs("joblib", "load", "/tmp/x"),
    # Other opcodes and other places that name something.
    "INST": _beside(b"(" + text(CANARY) + b"iposix\nsystem\n", "would run posix.system"),
    "STACK_GLOBAL": _beside(b"\x8c\x05posix\x8c\x06system\x93(" + text(CANARY) + b"tR", "would run posix.system"),
    "STACK_GLOBAL of the memo": _beside(
        b"\x8c\x05posix\x94\x8c\x06system\x94\x8c\x01x\x8c\x01yh\x00h\x01\x93", "more than weights and plain values"
    ),
    "an extension": _beside(b"\x82\x01(" + text(CANARY) + b"tR", "more than weights and plain values"),
    "an escaped name": _beside(b"cposi\\x78\nsystem\n(" + text(CANARY) + b"tR", "would run posix.system"),
    "a name of many parts": _beside(called("torch.nn.a b", "c d.os.system", CANARY), "would run torch.nn.a"),
    "a legacy class": _legacy(
        b"(" + text("module") + _SYSTEM + text("f") + text("s") + b"tQ", "would run posix.system"
    ),
    "a legacy reference to anything": _legacy(b"(" + text("object") + text("f") + b"tQ", "more than weights"),
    "the description of a machine": Hostile(
        lambda: in_other_pickle(called("posix", "system", CANARY), 2), "posix.system"
    ),
    "the order of tensors": Hostile(lambda: in_other_pickle(called("posix", "system", CANARY), 4), "posix.system"),
    # Stubs in the places of what torch's reader takes apart.
    "a stub as a storage": _beside(
        _TENSOR
        + b"(("
        + text("storage")
        + named("a", "b")
        + text("0")
        + text("cpu")
        + b"K\x01tQK\x00K\x01\x85K\x01\x85\x89Nt"
        b"R",
        "cannot be read",
    ),
    "a stub as the class of a tensor": _beside(
        named("torch._tensor", "_rebuild_from_type_v2") + b"(" + named("torch", "Size") + named("a", "c") + b")NtR",
        "cannot be read",
    ),
    "an item that is not hashable": _beside(named("a", "b") + b")\x81]Ns", "cannot be read"),
    "a stub instead of the weights": _alone(named("a", "b") + b")\x81", "No weights were found"),
    "a dict whose items are hidden": _alone(
        named("collections", "OrderedDict") + b")R(" + text("w") + b"K\x01u}" + text("items") + named("a", "b") + b"sb",
        "No weights were found",
    ),
    "NaN behind a hidden method": Hostile(lambda: _hidden("is_floating_point", set), "not finite"),
    "a size behind a hidden method": Hostile(lambda: _hidden("numel", complex), "not finite"),
    "a module in itself": Hostile(_itself, "nested too deep"),
    "modules that branch": Hostile(_branching, "nested too deep"),
    "a class without weights": Hostile(lambda: saved(Net), "No weights were found"),
}
