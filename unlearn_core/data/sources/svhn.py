"""SVHN: house numbers seen from the street, one digit in the middle of each image.

Source: Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning.
"""

from unlearn_core.data.ingest.download import RemoteFile
from unlearn_core.data.ingest.source import ArrayData, ImportContext, OptionValues, Source
from unlearn_core.data.ingest.torchvision_roots import open_torchvision

_HOST = "http://ufldl.stanford.edu/housenumbers"
REMOTE_FILES = (
    RemoteFile(f"{_HOST}/train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    RemoteFile(f"{_HOST}/test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
)


def read(options: OptionValues, context: ImportContext) -> ArrayData:
    """Training and test images; the additional easy ones ("extra") are not used."""
    sets = open_torchvision("SVHN", [{"split": "train"}, {"split": "test"}], REMOTE_FILES, context)
    return ArrayData(
        tuple("0123456789"),
        {name: (one.data.transpose(0, 2, 3, 1), one.labels) for name, one in zip(("train", "test"), sets, strict=True)},
    )


SOURCE = Source(
    id="svhn",
    title="SVHN",
    summary="House numbers, ten digits: 73,257 training and 26,032 test images, 32 pixels wide.",
    needs="download",
    size=32,
    natural=True,
    licence="For non-commercial use only, with citation of Netzer et al. (2011).",
    origin="Netzer, Wang, Coates, Bissacco, Wu and Ng, Stanford University and Google.",
    read=read,
)
