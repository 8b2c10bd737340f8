"""What the pickles of a checkpoint ask for is listed without loading them, and what acts is known."""

import io

import pytest
import torch

from tests.data.hostile_files import saved
from tests.models.upload.checkpoints import BESIDE, LEGACY, Net, in_other_pickle, named, text, zipped_pickle
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload import pickle_globals
from unlearn_core.models.upload.legacy_format import PICKLES, without_sources
from unlearn_core.models.upload.pickle_globals import acts, read

HARMLESS = """
__main__.Net models.resnet.BasicBlock utils.os_tools.Meter code_base.Net torch.nn.modules.conv.Conv2d
torch._utils._rebuild_tensor_v2 torch.FloatStorage torch.cuda.FloatStorage torch.float32 torch.optim.sgd.SGD
torch._C._nn.gelu torch.nn.functional.relu torch.utils.hooks.RemovableHandle torch.nn.parallel.DataParallel
numpy.dtype numpy.float64 numpy.core.multiarray.scalar numpy._core.multiarray._reconstruct numpy.dtypes.Float64DType
numpy.random._pickle.__generator_ctor argparse.Namespace pathlib.PosixPath pathlib._local.PosixPath
collections.defaultdict collections.OrderedDict datetime.datetime enum.Enum functools.partial builtins.list
builtins.set _codecs.encode types.SimpleNamespace logging.getLogger timm.models.resnet.ResNet
torchvision.models.resnet.ResNet omegaconf.dictconfig.DictConfig pandas.core.frame.DataFrame easydict.EasyDict
pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint transformers.training_args.TrainingArguments
"""

ACTING = """
os.system posix.system nt.system sys.exit subprocess.Popen shutil.rmtree socket.socket importlib.import_module
runpy.run_path ctypes.CDLL builtins.eval builtins.exec builtins.getattr builtins.open builtins.__import__ builtins.type
pickle.loads _pickle.loads marshal.loads operator.attrgetter functools.reduce types.FunctionType types.CodeType
code.InteractiveInterpreter pty.spawn webbrowser.open multiprocessing.util.spawnv_passfds io.open _io.open
_posixsubprocess.fork_exec pdb.run timeit.timeit cProfile.run trace.Trace pip.main dill.loads cloudpickle.loads
joblib.load requests.get urllib.request.urlopen commands.getoutput popen2.popen2 threading.Thread asyncio.run
logging.config.listen torch.hub.load torch.load torch.save torch.jit.load torch.jit._script.CompilationUnit
torch._dynamo.guards.GuardBuilder.get torch._inductor.codecache.PyCodeCache torch.package.PackageImporter
torch.storage._load_from_bytes torch.serialization.load torch.utils.cpp_extension.load torch.utils.collect_env.run
torch.utils._config_module.ConfigModule.load_config torch.fx.graph_module.reduce_graph_module torch.ops.load_library
torch.distributed.rpc.rpc_sync torch.multiprocessing.spawn torch.testing._internal.common_utils.shell
numpy.load numpy.memmap numpy.testing._private.utils.runstring numpy.f2py.compile numpy.ctypeslib.load_library
numpy.lib.npyio.DataSource pandas.read_pickle pandas.io.pickle.read_pickle pandas.eval torchvision.datasets.MNIST
argparse._sys.exit argparse._os.system pathlib.os.system collections._sys.modules random._os.system enum.sys.exit
torch.nn.modules.module.sys.exit torch.nn.functional.torch.load torch.nn.functional.importlib.import_module
models.resnet.os.system models.resnet.Net.__init__ __main__.__builtins__ __builtins__.eval numpy.random.numpy.load
"""


@pytest.mark.parametrize("path", HARMLESS.split())
def test_what_lies_beside_weights_does_not_act(path: str) -> None:
    assert not acts(path)


@pytest.mark.parametrize("path", ACTING.split())
def test_what_acts_is_known(path: str) -> None:
    assert acts(path)


@pytest.mark.parametrize("what", BESIDE)
def test_the_list_is_that_of_torch(what: str) -> None:
    """But for what torch allows by default, which it leaves out."""
    file = saved({"w": torch.zeros(2), "more": BESIDE[what], "net": Net()})
    found = read(zipped_pickle(file)).globals
    expected = set(torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(file)))
    assert expected <= found
    assert all(name.startswith(("torch.", "collections.", "builtins.", "_codecs.")) for name in found - expected)


def test_names_of_python_2_and_of_every_opcode_are_listed() -> None:
    two = b"\x80\x02" + named("__builtin__", "eval") + named("copy_reg", "_reconstructor") + b"\x86."
    assert read(two).globals == {"builtins.eval", "copyreg._reconstructor"}
    assert read(b"\x80\x02(ios\nsystem\n.").globals == {"os.system"}
    four = read(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.")
    assert four.globals == {"os.system"} and four.protocol == 4
    assert read(b"\x80\x04\x93.").globals == {"."}, "a stack that is empty"


@pytest.mark.parametrize("number", range(PICKLES))
def test_each_pickle_of_a_legacy_file_is_listed(number: int) -> None:
    assert "posix.system" in read(in_other_pickle(named("posix", "system"), number), PICKLES).globals


@pytest.mark.parametrize(
    "pickle",
    [b"", b"\x80", b"\x80\x02X\xff\xff\xff\xffabc.", b"\x80\x02cos\nsystem", b"\xfe.", b"L" + b"9" * 9999 + b"\n."],
)
def test_a_pickle_that_cannot_be_read_is_refused(pickle: bytes) -> None:
    with pytest.raises(InvalidCheckpointError, match=r"Its pickle cannot be read .*damaged"):
        read(pickle)


def test_a_pickle_with_very_many_names_is_refused() -> None:
    many = b"".join(named("models", f"Net{number}") + b"0" for number in range(pickle_globals.MAX_GLOBALS + 1))
    with pytest.raises(InvalidCheckpointError, match="names 2,001 classes and functions"):
        read(b"\x80\x02" + many + b"N.")


def test_a_hostile_name_cannot_write_on_the_terminal() -> None:
    with pytest.raises(InvalidCheckpointError, match=r"would run os\.system\?\?2Jx{60,} while") as caught:
        pickle_globals.refuse_acting({"os.system\x1b[2J" + "x" * 200})
    assert caught.value.args[0].isprintable()


def test_only_references_to_classes_are_replaced_in_a_legacy_file() -> None:
    plain = saved({"module": torch.zeros(2), "names": ("module", 1, 2, 3)}, **LEGACY)
    assert without_sources(plain, "a.b") == plain
    whole = saved({"module": ("module", "a", "b", "c"), "net": Net()}, **LEGACY)
    made = without_sources(whole, "a.b")
    classes = 6  # Net, Sequential, Conv2d, BatchNorm2d, GELU, Linear
    assert made.count(b"ca\nb\n(") == classes and len(made) == len(whole) + 5 * classes
    assert text("module") in made
