"""Import of a run's settings from an uploaded spec.json or archive, which is untrusted until checked."""

import io
import lzma
import zipfile
import zlib

from pydantic import ValidationError

from unlearn_core.data import datasets
from unlearn_core.domain.errors import InvalidRequestError
from unlearn_core.domain.jobs import UnlearnSpec
from unlearn_core.export.archive import SPEC_FILE

MAX_UPLOAD_BYTES = 64 * 2**20
"""Limit of an upload: an archive is mostly its report (5 MB) and the weights of a small model."""
MAX_SPEC_BYTES = 2 * 2**20
"""Limit of the settings themselves: 100,000 image numbers are under one MB."""
MAX_MEMBERS, MAX_LISTING_BYTES = 2_000, 2**20
"""Limits of the files in an archive and of the bytes of its directory, which is read first."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, ValueError)
_END, _END_64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07", 20


def read_spec(data: bytes) -> UnlearnSpec:
    """The settings in an uploaded file. Raises InvalidRequestError or NotFoundError that says what is wrong with it.

    Of an archive only the member with the settings is read, up to a limit and into memory; nothing is unpacked. The
    caller must check that the method and its hyperparameters exist.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise InvalidRequestError(
            f"The file is larger than {MAX_UPLOAD_BYTES >> 20} MB: upload the spec.json inside the archive instead."
        )
    text = _from_archive(data) if data[:4] == b"PK\x03\x04" else data
    if len(text) > MAX_SPEC_BYTES:
        raise InvalidRequestError(
            f"The settings are larger than {MAX_SPEC_BYTES >> 20} MB, so they are not from Unlearn Lab."
        )
    try:
        spec = UnlearnSpec.model_validate_json(text)
    except ValidationError as problem:
        raise InvalidRequestError(_explained(problem)) from None
    _check(spec)
    return spec


def _from_archive(data: bytes) -> bytes:
    _check_listing(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            named = [one for one in file.infolist() if one.filename.rpartition("/")[2] == SPEC_FILE]
            if len(named) > 1:
                raise InvalidRequestError(
                    f"The archive contains the settings of {len(named)} runs: unpack it and upload one {SPEC_FILE}."
                )
            if not named:
                raise InvalidRequestError(
                    f"The archive contains no {SPEC_FILE}, so it is not a download from Unlearn Lab."
                )
            if named[0].flag_bits & 1:
                raise InvalidRequestError(
                    f"The {SPEC_FILE} in the archive is encrypted: unpack it and upload that file."
                )
            with file.open(named[0]) as member:
                return member.read(MAX_SPEC_BYTES + 1)  # The size in its header may be wrong.
    except _DAMAGED as problem:
        raise InvalidRequestError(f"The archive is damaged ({type(problem).__name__}): download it again.") from None


def _check_listing(data: bytes) -> None:
    """Check the record at an archive's end before its directory is read, which may be maliciously long."""
    at = data.rfind(_END, max(0, len(data) - 65_557))
    if at < 0 or len(data) < at + 22:
        raise InvalidRequestError("The archive is cut off: download it again.")
    members, listing = (
        int.from_bytes(data[at + 10 : at + 12], "little"),
        int.from_bytes(data[at + 12 : at + 16], "little"),
    )
    if data[at - _LOCATOR : at - _LOCATOR + 4] == _END_64 or members > MAX_MEMBERS or listing > MAX_LISTING_BYTES:
        raise InvalidRequestError(
            f"The archive contains more than {MAX_MEMBERS:,} files, so it is not a download from Unlearn Lab."
        )


def _explained(problem: ValidationError) -> str:
    """The first error as a sentence, with only short quotes from the file."""
    first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "The file is neither settings (JSON) nor an archive from Unlearn Lab: upload a spec.json or an archive."
    where = ".".join(str(part) for part in first["loc"])[:80]
    return f"These are not the settings of a run: {where or 'whole file'}: {first['msg'][:160]}."


def _check(spec: UnlearnSpec) -> None:
    """Check that the data set and forget set exist. Raises InvalidRequestError or NotFoundError."""
    for name in (spec.request.classifier, spec.request.dataset, spec.method, *spec.params):
        if len(name) > 100:
            raise InvalidRequestError(
                f"These are not the settings of a run: {name[:40]}… is longer than any valid name."
            )
    if spec.start is not None:
        raise InvalidRequestError(
            f"These settings continue run {spec.start} of another data folder, which the file does not contain: "
            "start with the settings of that run."
        )
    card, forget = datasets.card(spec.request.dataset), spec.request.forget
    numbers, most, what = (
        (forget.classes, len(card.classes), "classes")
        if forget.kind == "classes"
        else (forget.images, card.train, "training images")
    )
    if min(numbers) < 0 or max(numbers) >= most:
        raise InvalidRequestError(
            f"These settings forget {what} that {card.title} does not have: the numbers go from 0 to {most - 1:,}."
        )
