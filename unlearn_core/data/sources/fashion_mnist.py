"""FashionMNIST: grey images of clothes, 28 pixels wide; grey becomes three equal channels.

Source: Xiao, Rasul and Vollgraf 2017, Fashion-MNIST.
"""

from unlearn_core.data.ingest.download import RemoteFile
from unlearn_core.data.ingest.source import ArrayData, ImportContext, OptionValues, Source
from unlearn_core.data.ingest.torchvision_roots import open_torchvision

_HOST = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
_RAW = "FashionMNIST/raw"
REMOTE_FILES = tuple(
    RemoteFile(f"{_HOST}/{name}", f"{_RAW}/{name}", md5)
    for name, md5 in (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    )
)


def read(options: OptionValues, context: ImportContext) -> ArrayData:
    """All images, grey."""
    sets = open_torchvision("FashionMNIST", [{"train": True}, {"train": False}], REMOTE_FILES, context)
    return ArrayData(
        tuple(name.replace("/", " or ") for name in sets[0].classes),
        {name: (one.data.numpy(), one.targets.numpy()) for name, one in zip(("train", "test"), sets, strict=True)},
    )


SOURCE = Source(
    id="fashion-mnist",
    title="FashionMNIST",
    summary="Ten kinds of clothes in grey: 60,000 training and 10,000 test images, 28 pixels wide, in a black frame.",
    needs="download",
    size=32,
    natural=False,
    licence="MIT.",
    origin="Xiao, Rasul and Vollgraf, Zalando Research.",
    read=read,
    fit="pad",
)
