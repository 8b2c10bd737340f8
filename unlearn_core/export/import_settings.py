"""Settings that come back in: a spec as JSON, or the archive that holds one. Hostile until it is checked."""

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
"""Of an upload: an archive is mostly its report (5 MB) and the weights of a small net."""
MAX_SPEC_BYTES = 2 * 2**20
"""Of the settings themselves: 100,000 picture numbers are under one MB."""
MAX_MEMBERS, MAX_LISTING_BYTES = 2_000, 2**20
"""Files in an archive, and bytes of its list of files, which is read before anything else is known."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, ValueError)
_END, _END_64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07", 20


def read_spec(data: bytes) -> UnlearnSpec:
    """The settings in an uploaded file. Raises BadRequest with a sentence for whatever is wrong with it.

    Of an archive only the member that holds the settings is read, up to a limit and into memory; nothing is unpacked.
    That the method and its knobs exist is for whoever takes the settings over to check.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise InvalidRequestError(
            f"The file is larger than {MAX_UPLOAD_BYTES >> 20} MB: pick the spec.json that is in the archive."
        )
    text = _from_archive(data) if data[:4] == b"PK\x03\x04" else data
    if len(text) > MAX_SPEC_BYTES:
        raise InvalidRequestError(
            f"The settings are larger than {MAX_SPEC_BYTES >> 20} MB, which no settings of this lab are."
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
                    f"The archive holds the settings of {len(named)} runs: unpack it, and pick one {SPEC_FILE}."
                )
            if not named:
                raise InvalidRequestError(
                    f"The archive holds no {SPEC_FILE}, so it was not made by this lab's download."
                )
            if named[0].flag_bits & 1:
                raise InvalidRequestError(
                    f"The {SPEC_FILE} in the archive is encrypted: unpack it yourself, and pick that file."
                )
            with file.open(named[0]) as member:
                return member.read(MAX_SPEC_BYTES + 1)  # Whatever size it claims to have.
    except _DAMAGED as problem:
        raise InvalidRequestError(f"The archive is damaged ({type(problem).__name__}): download it again.") from None


def _check_listing(data: bytes) -> None:
    """Looks at the record at an archive's end before its list of files is read, which may be made to be endless."""
    at = data.rfind(_END, max(0, len(data) - 65_557))
    if at < 0 or len(data) < at + 22:
        raise InvalidRequestError("The archive is cut off: download it again.")
    members, listing = (
        int.from_bytes(data[at + 10 : at + 12], "little"),
        int.from_bytes(data[at + 12 : at + 16], "little"),
    )
    if data[at - _LOCATOR : at - _LOCATOR + 4] == _END_64 or members > MAX_MEMBERS or listing > MAX_LISTING_BYTES:
        raise InvalidRequestError(f"The archive holds more than {MAX_MEMBERS:,} files, so it was not made by this lab.")


def _explained(problem: ValidationError) -> str:
    """The first thing that is wrong, in a sentence; what the file says is quoted only in short."""
    first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "The file is neither settings (JSON) nor an archive of this lab: pick a spec.json or a whole download."
    where = ".".join(str(part) for part in first["loc"])[:80]
    return f"These are no settings of a run: {where or 'the whole'}: {first['msg'][:160]}."


def _check(spec: UnlearnSpec) -> None:
    """Whether this lab has what is to be forgotten. Raises BadRequest or UnknownName."""
    for name in (spec.request.classifier, spec.request.dataset, spec.method, *spec.params):
        if len(name) > 100:
            raise InvalidRequestError(f"These are no settings of a run: {name[:40]}… is longer than any name here.")
    if spec.start is not None:
        raise InvalidRequestError(
            f"These settings go on from run {spec.start} of the lab where they were made, and a file cannot bring that "
            "run along: begin with the settings of that run."
        )
    card, forget = datasets.card(spec.request.dataset), spec.request.forget
    numbers, most, what = (
        (forget.classes, len(card.classes), "classes")
        if forget.kind == "classes"
        else (forget.images, card.train, "training pictures")
    )
    if min(numbers) < 0 or max(numbers) >= most:
        raise InvalidRequestError(
            f"These settings forget {what} that {card.title} does not have: there are {most:,}, from 0 on."
        )
