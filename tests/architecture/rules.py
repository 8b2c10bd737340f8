"""What may stand where, as functions from a file's text to the offences in it."""

import ast
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

PAGE_LINES = 80
PAGE_IMPORTS = ("streamlit", "unlearn_core.ui", "unlearn_core.domain")

ONLY_IN = {
    "streamlit": ("app.py", "pages/", "unlearn_core/ui/", "unlearn_core/benchmarks/pages/", "tests/"),
    "plotly": ("unlearn_core/charts/", "unlearn_core/export/", "unlearn_core/testing/", "tests/"),
    "pytorch_grad_cam": ("unlearn_core/probes/common/class_activation.py", "tests/"),
}
NEVER_IN = {
    "torch": ("unlearn_core/domain/", "unlearn_core/store/", "unlearn_core/charts/", "unlearn_core/export/", "pages/"),
    "torchvision": ("unlearn_core/domain/", "unlearn_core/store/", "unlearn_core/charts/", "unlearn_core/export/"),
}
STUBS_ONLY_IN = "unlearn_core/models/upload/load_worker.py"
"""The one place that lets torch's reader find more than it does by default: stubs, in a sandboxed process."""
UNSAFE_IMPORTS = ("pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "torch.hub")


def python_files() -> list[Path]:
    """Every Python file that ships, and the tests."""
    folders = (ROOT / "unlearn_core", ROOT / "pages", ROOT / "tests")
    return [ROOT / "app.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]


def imports(tree: ast.AST) -> list[tuple[str, int]]:
    """The dotted names that a file imports, wherever in it, with their lines."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def offences(text: str, place: str) -> list[str]:
    """Libraries out of their place, ways to run foreign code, and injected HTML; `place` is relative to the root."""
    tree, found = ast.parse(text), []
    for name, line in imports(tree):
        for library, places in ONLY_IN.items():
            if _is(name, library) and not place.startswith(places):
                found.append(f"{place}:{line} imports {library}, which belongs in {', '.join(places[:-1])}")
        for library, places in NEVER_IN.items():
            if _is(name, library) and place.startswith(places):
                found.append(f"{place}:{line} imports {library}, which never belongs there")
        if any(_is(name, unsafe) for unsafe in UNSAFE_IMPORTS):
            found.append(f"{place}:{line} imports {name}, which can run what a file says")
    if _imports_at_once(tree, "pytorch_grad_cam"):
        found.append(f"{place} imports pytorch_grad_cam on being imported: eight seconds that nobody asked for")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return found + [f"{place}:{call.lineno} {words}" for call in calls for words in _unsafe(call, place)]


def page_offences(text: str, place: str) -> list[str]:
    """What a page must not hold: it composes pieces of `unlearn_core.ui` and nothing else."""
    tree, found = ast.parse(text), []
    if len(text.splitlines()) > PAGE_LINES:
        found.append(f"{place} has more than {PAGE_LINES} lines: move what it computes to unlearn_core")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            found.append(f"{place}:{node.lineno} defines something: it belongs in unlearn_core.ui")
        if isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html":
            found.append(f"{place}:{node.value.lineno} writes HTML")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "<style" in node.value.lower():
            found.append(f"{place}:{node.lineno} holds CSS")
    for name, line in imports(tree):
        if not any(_is(name, allowed) for allowed in PAGE_IMPORTS):
            found.append(f"{place}:{line} imports {name}; a page takes from {' and '.join(PAGE_IMPORTS)}")
    if len(PurePosixPath(place).parts) < 3:
        found.append(f"{place} lies directly in pages/: a page lies in the folder of its section")
    return found


def _is(name: str, library: str) -> bool:
    return name == library or name.startswith(f"{library}.")


def _imports_at_once(tree: ast.Module, library: str) -> bool:
    """Whether importing the file imports the library: outside of every function and of TYPE_CHECKING."""
    return any(
        _is(name, library)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, _ in imports(node)
    )


def _unsafe(node: ast.Call, place: str) -> list[str]:
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    called, found = ast.unparse(node.func), []
    if _constant(named.get("weights_only")) is False:
        found.append("passes weights_only=False, which runs what a file says")
    if called.endswith("torch.load") and _constant(named.get("weights_only")) is not True:
        found.append("calls torch.load without weights_only=True")
    if called.endswith(("np.load", "numpy.load")) and _constant(named.get("allow_pickle")) is not False:
        found.append("calls numpy.load without allow_pickle=False")
    if "torch.hub" in called or called.endswith("add_safe_globals"):
        found.append(f"calls {called}, which can run what a file says")
    if called.rpartition(".")[2] == "safe_globals" and place != STUBS_ONLY_IN:
        found.append(f"calls {called}, which only {STUBS_ONLY_IN} may")
    if _constant(named.get("unsafe_allow_html")) is True and not (node.args and _is_constant_text(node.args[0])):
        found.append("writes HTML that is not a constant")
    return found


def _constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _is_constant_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())
