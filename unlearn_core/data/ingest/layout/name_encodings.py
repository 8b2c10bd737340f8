"""Names that are not UTF-8: which encodings they may be in, and how each would read them.

Old zip programs write names in the encoding of their system and do not say which. A guess that is wrong gives other
letters, so a guess is only shown, and a person chooses.
"""

import codecs
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from charset_normalizer import from_bytes

from unlearn_core.data.ingest.sanitize import escape_control
from unlearn_core.domain.errors import InvalidDatasetError

UTF8 = "utf-8"
ENCODINGS = {
    UTF8: "Unicode (UTF-8)",
    "gb18030": "Chinese, simplified (GBK)",
    "cp932": "Japanese (Shift JIS)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean",
    "cp1252": "Western Europe, Windows",
    "cp850": "Western Europe, DOS",
    "cp437": "Western Europe and USA, DOS",
    "cp1251": "Cyrillic, Windows",
    "cp866": "Cyrillic, DOS",
    "koi8-r": "Cyrillic, KOI8-R",
    "cp1250": "Central Europe, Windows",
    "cp852": "Central Europe, DOS",
    "cp1253": "Greek",
    "cp1254": "Turkish",
    "cp1255": "Hebrew",
    "cp1256": "Arabic",
    "cp1258": "Vietnamese",
    "cp874": "Thai",
    "euc_jp": "Japanese (EUC)",
}
"""Encodings to choose from, the more frequent ones first."""
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "shift_jis": "cp932", "iso8859-1": "cp1252", "euc_kr": "cp949"}
"""Encodings of which one of ours can read every text."""
_MOST_NAMES, _MOST_BYTES, _MOST_SHOWN = 200, 4_000, 4


class Reading(NamedTuple):
    """An encoding in which all names can be read, and the first of them."""

    encoding: str
    example: str


class UnknownEncodingError(InvalidDatasetError):
    """Names that are not in the chosen encoding, with the readings that are possible, the likeliest first."""

    def __init__(self, paths: Sequence[bytes], encoding: str) -> None:
        self.readings = readings(paths)
        ways = "; ".join(f"{one.encoding} ({one.example})" for one in self.readings[:_MOST_SHOWN])
        super().__init__(
            f"Some names are not in {ENCODINGS[encoding]}. "
            + (f"They can be read as {ways}. " if ways else "")
            + "Choose their encoding, on the page or with --encoding."
        )


def canonical(encoding: str) -> str:
    """The encoding of `ENCODINGS` that a name such as "GBK" stands for. Raises InvalidDatasetError."""
    try:
        name = codecs.lookup(encoding.strip() or UTF8).name
    except (LookupError, ValueError):
        name = ""
    found = next((one for one in ENCODINGS if codecs.lookup(one).name == name), _WIDER.get(name))
    if found is None:
        raise InvalidDatasetError(f"Names can be read as {', '.join(ENCODINGS)}, not as {escape_control(encoding)!a}.")
    return found


def decode_paths(paths: Iterable[bytes], encoding: str) -> list[str]:
    """Paths as texts. Raises UnknownEncodingError if one is not in that encoding."""
    every = list(paths)
    try:
        return [name.decode(encoding) for name in every]
    except UnicodeDecodeError:
        raise UnknownEncodingError(every, encoding) from None


def readings(paths: Iterable[bytes]) -> list[Reading]:
    """How each encoding that fits would read the names that are not plain ASCII, the likeliest first.

    `charset_normalizer` judges how unlike a language each reading is. Short names are often equally plausible in
    several; then the more frequent encoding is first.
    """
    odd = sorted({name for name in paths if not name.isascii()}, key=lambda name: (b"/" not in name, name))[
        :_MOST_NAMES
    ]
    words = sorted({word for name in odd for word in name.split(b"/") if not word.isascii()})
    text = b"\n".join(words)[:_MOST_BYTES]
    mess = {
        encoding: match.chaos
        for match in from_bytes(text, cp_isolation=[codecs.lookup(one).name for one in ENCODINGS], threshold=1.0)
        for encoding in {match.encoding, *match.could_be_from_charset}
    }
    found: dict[tuple[str, ...], tuple[float, int, Reading]] = {}
    for number, encoding in enumerate(ENCODINGS):
        try:
            texts = tuple(name.decode(encoding) for name in odd)
        except UnicodeDecodeError:
            continue
        if all(one.isprintable() for one in texts):
            judged = mess.get(codecs.lookup(encoding).name.replace("-", "_"), 1.0)
            found.setdefault(texts, (judged, number, Reading(encoding, _example(texts))))
    return [reading for *_, reading in sorted(found.values())]


def _example(paths: Sequence[str]) -> str:
    """The first parts of these paths that show how they were read, folders before files."""
    parts = [path.replace("\\", "/").rstrip("/").split("/") for path in paths]
    words = [word for path in parts for word in path[:-1]] + [path[-1] for path in parts]
    return ", ".join(dict.fromkeys(word for word in words if not word.isascii()) or paths)[:40]
