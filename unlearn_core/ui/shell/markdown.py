"""Escape text from users and files, so that no name, note or message acts as Markdown."""

import re

_ACTIVE = re.compile(r"[\\`*_\[\]<>#|~$!&]|:(?=[\w/])")
_CODE = re.compile(r"((?<!`)`[^`]+`(?!`))")


def escape(text: object) -> str:
    """Text that Markdown shows letter for letter: external images, links, colours and formulas stay text.

    Only `code` between single backticks is left as code, which cannot contain anything active.
    """
    pieces = _CODE.split(" ".join(str(text).split()))
    return "".join(piece if number % 2 else _ACTIVE.sub(r"\\\g<0>", piece) for number, piece in enumerate(pieces))
