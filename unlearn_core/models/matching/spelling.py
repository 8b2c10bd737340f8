"""The names that code gives to the same tensors: known schemes, each a table that rewrites them to one spelling.

Names of the file and of the architecture go through the same table, so they match where both mean the same tensor.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

MAX_PREFIXES = 8
"""At most so many prefixes are tried: `module.model.0.` has three."""
MAX_SPELLED_LENGTH = 160
"""Longer names are no spelling of ours; trying all rules on thousands of them would take minutes."""

_SHORTCUT = r"\.(?:downsample|shortcut|skip|skip_connection|projection|identity|residual|res|proj)"
_HEAD = (
    r"^(?:fc|linear|classifier|head|heads\.head|logits|last_linear|output|out|fc1?|classifier\.\d|head\.fc|head\.\d)"
)


class Scheme(NamedTuple):
    """A spelling: its rules are (pattern, replacement), applied one after the other to every name.

    A replacement that ends in "#0", "#1", ... makes the tensor a part; parts are joined along their first dimension.
    """

    title: str
    rules: tuple[tuple[str, str], ...]


class Spelling(NamedTuple):
    """A file's tensors by the spelling of a scheme, without a prefix."""

    scheme: Scheme
    prefix: str
    tensors: dict[str, tuple[str, ...]]

    @property
    def title(self) -> str:
        """How the tensors are spelled, such as "names as they are, without module."."""
        return f"{self.scheme.title}, without {self.prefix[:40]!r}" if self.prefix else self.scheme.title


AS_THEY_ARE = Scheme("names as they are", ())

RESNET = Scheme(
    "names of ResNet repositories",
    (
        (r"^(?:stem|conv0|conv_stem|init_conv|conv_1_3x3|prep)\.(?=weight|bias)", "conv1."),
        (r"^(?:stem|prep|conv1|layer0|init_block)\.(?:0|conv1?)\.", "conv1."),
        (r"^(?:stem|prep|conv1|layer0|init_block)\.(?:1|bn1?|norm1?)\.", "bn1."),
        (r"^(?:bn0|bn_1|norm0|norm1|norm|bn)\.", "bn1."),
        (
            r"^(?:stage_?|block|group|layers?[._]?|layer_)([1-9])(?:_x)?\.(?:layers?\.|blocks?\.)?(\d+)\.",
            r"layer\1.\2.",
        ),
        (r"\.(?:norm|batch_?norm|bn_)(\d)\.", r".bn\1."),
        (r"\.conv_(\d)\.", r".conv\1."),
        (rf"{_SHORTCUT}\.(?:0|conv1?)\.", ".downsample.0."),
        (rf"{_SHORTCUT}\.(?:1|bn1?|norm1?)\.", ".downsample.1."),
        (rf"{_HEAD}\.(?=weight|bias)", "fc."),
    ),
)

WIDE_RESNET = Scheme(
    "names of WideResNet repositories",
    (
        (r"^(?:stem|conv0|conv_stem|init_conv|stem\.0|stem\.conv)\.(?=weight|bias)", "conv1."),
        (r"^(?:norm|bn|bn_last|bn_final|final_bn|last_bn|final_norm|norm1)\.", "bn1."),
        (r"^(?:stage|block|group|layer)([1-9])\.(?:layers?\.|blocks?\.)?(\d+)\.", r"layer\1.\2."),
        (r"\.(?:norm|batch_?norm|bn_?)(\d)\.", r".bn\1."),
        (
            r"\.(?:conv_?shortcut|convShortcut|downsample|shortcut|skip|projection)(?:\.0|\.conv)?\.(?=weight|bias)",
            ".shortcut.",
        ),
        (rf"{_HEAD}\.(?=weight|bias)", "fc."),
    ),
)

FEATURES = Scheme(
    "names of VGG, DenseNet and MobileNet repositories",
    (
        (r"^(?:conv_?layers|layers|convs|feature|features|conv_features)\.", "features."),
        (r"^(?=(?:conv0|norm0|denseblock\d|transition\d|norm5)\.)", "features."),
        (rf"{_HEAD}\.(?=weight|bias)", "fc."),
    ),
)

TRANSFORMER = Scheme(
    "names of vision transformer repositories",
    (
        (r"^(?:embeddings\.cls_token|class_token|embeddings\.class_token)$", "cls_token"),
        (r"^(?:embeddings\.position_embeddings|encoder\.pos_embedding|pos_embedding)$", "pos_embed"),
        (r"^(?:conv_proj|embeddings\.patch_embeddings\.projection)\.", "patch_embed.proj."),
        (r"^encoder\.(?:layers\.encoder_layer_|layer\.|layers\.)(\d+)\.", r"blocks.\1."),
        (r"\.(?:ln_1|layernorm_before)\.", ".norm1."),
        (r"\.(?:ln_2|layernorm_after)\.", ".norm2."),
        (r"\.self_attention\.in_proj_(weight|bias)$", r".attn.qkv.\1"),
        (r"\.attention\.attention\.query\.(weight|bias)$", r".attn.qkv.\1#0"),
        (r"\.attention\.attention\.key\.(weight|bias)$", r".attn.qkv.\1#1"),
        (r"\.attention\.attention\.value\.(weight|bias)$", r".attn.qkv.\1#2"),
        (r"\.(?:self_attention\.out_proj|attention\.output\.dense)\.", ".attn.proj."),
        (r"\.(?:mlp\.0|mlp\.linear_1|intermediate\.dense)\.", ".mlp.fc1."),
        (r"\.(?:mlp\.3|mlp\.linear_2|output\.dense)\.", ".mlp.fc2."),
        (r"^(?:encoder\.ln|layernorm|encoder\.norm)\.", "norm."),
        (rf"{_HEAD}\.(?=weight|bias)", "head."),
    ),
)

CONVNEXT = Scheme(
    "names of ConvNeXt repositories",
    (
        (r"^(?:features\.0|downsample_layers\.0)\.(\d)\.", r"stem.\1."),
        *((rf"^features\.{2 * stage}\.(\d)\.", rf"stages.{stage}.downsample.\1.") for stage in (1, 2, 3)),
        *((rf"^features\.{2 * stage + 1}\.(\d)\.", rf"stages.{stage}.blocks.\1.") for stage in range(4)),
        (r"^downsample_layers\.(\d)\.", r"stages.\1.downsample."),
        (r"^stages\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2."),
        (r"\.(?:block\.0|dwconv)\.", ".conv_dw."),
        (r"\.block\.2\.", ".norm."),
        (r"\.(?:block\.3|pwconv1)\.", ".mlp.fc1."),
        (r"\.(?:block\.5|pwconv2)\.", ".mlp.fc2."),
        (r"\.layer_scale$", ".gamma"),
        (r"^(?:classifier\.0|norm)\.", "head.norm."),
        (r"^(?:classifier\.2|head)\.(?=weight|bias)", "head.fc."),
    ),
)

SCHEMES = (AS_THEY_ARE, RESNET, WIDE_RESNET, FEATURES, TRANSFORMER, CONVNEXT)


def prefixes(tensors: Sequence[str]) -> list[str]:
    """The prefixes under which a third of these tensors or more lie, shortest first; "" is always one."""
    found = [""]
    for prefix in found:
        heads = Counter(name[: name.find(".", len(prefix)) + 1] for name in tensors if name.startswith(prefix))
        found += [head for head, count in heads.items() if len(head) > len(prefix) and count * 3 >= len(tensors)]
        if len(found) > MAX_PREFIXES:
            break
    return found[:MAX_PREFIXES]


def without_shared_prefix(tensors: Iterable[str]) -> dict[str, str]:
    """The names without the prefix that all of them share, by the names themselves."""
    every = list(tensors)
    shared = [prefix for prefix in prefixes(every) if all(name.startswith(prefix) for name in every)][-1]
    return {name: name.removeprefix(shared) for name in every}


def respell(tensors: Mapping[str, str], scheme: Scheme) -> dict[str, tuple[str, ...]] | None:
    """The tensors by the scheme's spelling: values are the keys of `tensors`, whose values are respelled.

    A tensor has several if it is joined from parts. Returns None where two tensors would have one spelling.
    """
    parts: dict[str, dict[str, str]] = {}
    for name, short in tensors.items():
        spelled, _, part = _respelled(short, scheme).partition("#")
        if part in parts.setdefault(spelled, {}):
            return None
        parts[spelled][part] = name
    if any("" in named and len(named) > 1 for named in parts.values()):
        return None
    return {spelled: tuple(named[part] for part in sorted(named)) for spelled, named in parts.items()}


def spellings(tensors: Sequence[str]) -> Iterator[Spelling]:
    """Every spelling of a file's tensors by every scheme, with every prefix that may be removed."""
    for scheme in SCHEMES:
        for prefix in prefixes(tensors):
            found = respell({name: name.removeprefix(prefix) for name in tensors}, scheme)
            if found is not None:
                yield Spelling(scheme, prefix, found)


@lru_cache(maxsize=1 << 15)
def _respelled(name: str, scheme: Scheme) -> str:
    for pattern, replacement in scheme.rules if len(name) <= MAX_SPELLED_LENGTH else ():
        name = re.sub(pattern, replacement, name)
    return name
