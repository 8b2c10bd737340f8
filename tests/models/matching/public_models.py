"""The models of public repositories, written small: the same names, shapes, order of definition and computation.

Each takes normalised images (N, 3, 32, 32) and returns logits. The comments name the repositories that call their
tensors so.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PaddedBlock(nn.Module):
    """akamaster/pytorch_resnet_cifar10, option A; with `last`, zeros after the channels as in a-martyn/resnet."""

    def __init__(self, width_in: int, width: int, stride: int, *, last: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.padded, self.added = stride != 1, (0, width // 2) if last else (width // 4, width // 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, *self.added)) if self.padded else x))


class ProjectedBlock(nn.Module):
    """A block whose projection is called `name`; with `first`, the code defines it before the convolutions."""

    def __init__(self, width_in: int, width: int, stride: int, *, name: str, first: bool) -> None:
        super().__init__()
        self.name = name
        projected = stride != 1 or width_in != width
        shortcut = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        if projected and first:
            self.add_module(name, shortcut)
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if not (projected and first):
            self.add_module(name, shortcut if projected else nn.Sequential())

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.get_submodule(self.name)(x))


class ResNet(nn.Module):
    """A stem, stages of blocks and a head under the names that a repository gives them."""

    def __init__(
        self, stem: tuple[str, str], stages: Sequence[tuple[str, Sequence[nn.Module]]], head: str, classes: int
    ) -> None:
        super().__init__()
        width = next(module.out_channels for module in stages[0][1][0].modules() if isinstance(module, nn.Conv2d))
        width_out = [
            module.num_features for module in stages[-1][1][-1].modules() if isinstance(module, nn.BatchNorm2d)
        ]
        self.stem, self.stages, self.last = stem, [name for name, _ in stages], head
        self.add_module(stem[0], nn.Conv2d(3, width, 3, 1, 1, bias=False))
        self.add_module(stem[1], nn.BatchNorm2d(width))
        for name, blocks in stages:
            self.add_module(name, nn.Sequential(*blocks))
        self.add_module(head, nn.Linear(width_out[-1], classes))

    def forward(self, x: Tensor) -> Tensor:
        for name in self.stem:
            x = self.get_submodule(name)(x)
        x = F.relu(x)
        for name in self.stages:
            x = self.get_submodule(name)(x)
        return self.get_submodule(self.last)(x.mean((2, 3)))


def _widths(blocks: Sequence[int], width: int) -> list[list[tuple[int, int, int]]]:
    """(input width, width, stride) of every block of every stage."""
    stages, before = [], width
    for number, count in enumerate(blocks):
        own = width << number
        stages.append(
            [(before if block == 0 else own, own, 2 if number and block == 0 else 1) for block in range(count)]
        )
        before = own
    return stages


def akamaster(depth: int, classes: int = 10, *, last: bool = False) -> nn.Module:
    """ResNet-20 and so on with padded shortcuts: conv1, bn1, layer1.0.conv1, linear."""
    stages = _widths([(depth - 2) // 6] * 3, 16)
    return ResNet(
        ("conv1", "bn1"),
        [(f"layer{n}", [PaddedBlock(*shape, last=last) for shape in stage]) for n, stage in enumerate(stages, 1)],
        "linear",
        classes,
    )


def projected(
    blocks: Sequence[int],
    width: int,
    *,
    shortcut: str = "downsample",
    first: bool = False,
    stage: str = "layer",
    stem: tuple[str, str] = ("conv1", "bn1"),
    head: str = "fc",
    classes: int = 10,
) -> nn.Module:
    """A ResNet with projections, as in chenyaofo/pytorch-cifar-models (downsample, fc), kuangliu/pytorch-cifar
    (shortcut, linear), and with names that nobody uses."""
    return ResNet(
        stem,
        [
            (f"{stage}{n}", [ProjectedBlock(*shape, name=shortcut, first=first) for shape in each])
            for n, each in enumerate(_widths(blocks, width), 1)
        ],
        head,
        classes,
    )


class NormalizeLayer(nn.Module):
    """The layer in front of robust models: locuslab/smoothing, MadryLab/robustness."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], names: tuple[str, str] = ("mean", "std")) -> None:
        super().__init__()
        self.names = names
        self.register_buffer(names[0], torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer(names[1], torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.get_buffer(self.names[0])) / self.get_buffer(self.names[1])


class TransformerBlock(nn.Module):
    """The block of Hugging Face's ViT: query, key and value are three layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        inner = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict(
            {"attention": nn.ModuleDict(inner), "output": nn.ModuleDict({"dense": nn.Linear(width, width)})}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 4 * width)})
        self.output = nn.ModuleDict({"dense": nn.Linear(4 * width, width)})
        self.layernorm_before, self.layernorm_after = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layernorm_before(x)
        query, key, value = (
            self.get_submodule(f"attention.attention.{name}")(y).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        y = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x = x + self.get_submodule("attention.output.dense")(y)
        y = self.get_submodule("intermediate.dense")(self.layernorm_after(x))
        return x + self.get_submodule("output.dense")(F.gelu(y))


class HuggingFaceViT(nn.Module):
    """transformers' ViTForImageClassification, with patches of 4 pixels."""

    vit: Any

    def __init__(self, *, width: int = 192, depth: int = 6, heads: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.vit = nn.Module()
        self.vit.embeddings = nn.Module()
        self.vit.embeddings.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.vit.embeddings.position_embeddings = nn.Parameter(torch.randn(1, 65, width))
        self.vit.embeddings.patch_embeddings = nn.ModuleDict({"projection": nn.Conv2d(3, width, 4, 4)})
        self.vit.encoder = nn.ModuleDict({"layer": nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))})
        self.vit.layernorm = nn.LayerNorm(width, 1e-6)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        embeddings = self.vit.embeddings
        patches = embeddings.patch_embeddings["projection"](x).flatten(2).transpose(1, 2)
        x = torch.cat([embeddings.cls_token.expand(len(x), -1, -1), patches], 1) + embeddings.position_embeddings
        for block in self.vit.encoder["layer"]:
            x = block(x)
        return self.classifier(self.vit.layernorm(x)[:, 0])


def torchvision_vit(classes: int = 10) -> nn.Module:
    """torchvision's transformer with the size of vit_tiny."""
    from torchvision.models import VisionTransformer

    return VisionTransformer(32, 4, 6, 3, 192, 768, num_classes=classes)


def torchvision_mobilenet(classes: int = 10) -> nn.Module:
    """torchvision's MobileNetV2 with stride 1 in front."""
    from torchvision.models import mobilenet_v2

    model: Any = mobilenet_v2(num_classes=classes)
    model.features[0][0].stride = (1, 1)
    return model


def torchvision_resnet18(classes: int = 10, *, small: bool = True) -> nn.Module:
    """torchvision's ResNet-18; with `small`, with a stem for 32 pixels."""
    from torchvision.models import resnet18

    model: Any = resnet18(num_classes=classes)
    if small:
        model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    return model


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """The model in eval mode with all tensors random, also those that begin at 0 or 1: no two are alike."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith(("mean", "std", "mu", "sigma")) and value.numel() == 3:
                continue
            if value.is_floating_point():
                noise = torch.randn(value.shape, generator=draw)
                spread = 0.5 / value[0].numel() ** 0.5 if value.ndim > 1 else 0.2
                value.copy_(1 + spread * noise.abs() if name.endswith("running_var") else value + spread * noise)
    return model.eval()


class LiuVgg(nn.Module):
    """VGG-16 of kuangliu/pytorch-cifar with five max-pools; OPTML-Group/Unlearn-Sparse has four."""

    def __init__(self, pools: int, classes: int = 10) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width_in = 3
        for stage, (width, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
            for _ in range(count):
                layers += [nn.Conv2d(width_in, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                width_in = width
            layers += [nn.MaxPool2d(2, 2)] if stage < pools else []
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(512, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class WideBlock(nn.Module):
    """xternalz/WideResNet-pytorch, which TRADES and others copied."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.convShortcut = None if width_in == width else nn.Conv2d(width_in, width, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(x))
        out = self.conv2(F.relu(self.bn2(self.conv1(y))))
        return out + (x if self.convShortcut is None else self.convShortcut(y))


class WideStage(nn.Module):
    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            *(WideBlock(width if block else width_in, width, 1 if block else stride) for block in range(4))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class WideResNet(nn.Module):
    """WideResNet-28-10 under these names."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1, self.block2, self.block3 = WideStage(16, 160, 1), WideStage(160, 320, 2), WideStage(320, 640, 2)
        self.bn1 = nn.BatchNorm2d(640)
        self.fc = nn.Linear(640, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))))
        return self.fc(F.avg_pool2d(x, 8).flatten(1))


class DenseLayer(nn.Module):
    """kuangliu/pytorch-cifar: new channels come first. weiaicunzai/pytorch-cifar100: last."""

    def __init__(self, width_in: int, *, first: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, 128, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))
        return torch.cat([y, x] if self.first else [x, y], 1)


class Transition(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(width)
        self.conv = nn.Conv2d(width, width // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.conv(F.relu(self.bn(x))), 2)


class DenseNet(nn.Module):
    """DenseNet-121 under the names of kuangliu/pytorch-cifar."""

    def __init__(self, *, first: bool, classes: int = 10) -> None:
        super().__init__()
        width = 64
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        for number, count in enumerate((6, 12, 24, 16), 1):
            layers = (DenseLayer(width + 32 * layer, first=first) for layer in range(count))
            self.add_module(f"dense{number}", nn.Sequential(*layers))
            width += 32 * count
            if number < 4:
                self.add_module(f"trans{number}", Transition(width))
                width //= 2
        self.bn = nn.BatchNorm2d(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for number in range(1, 5):
            x = self.get_submodule(f"dense{number}")(x)
            x = self.get_submodule(f"trans{number}")(x) if number < 4 else x
        return self.linear(F.adaptive_avg_pool2d(F.relu(self.bn(x)), 1).flatten(1))


def timm_convnext(classes: int = 10) -> nn.Module:
    """timm's ConvNeXt-T with patches of 2 pixels."""
    from timm.models.convnext import ConvNeXt

    model: Any = ConvNeXt(num_classes=classes, depths=(3, 3, 9, 3), dims=(96, 192, 384, 768))
    model.stem[0] = nn.Conv2d(3, 96, 2, 2)
    return model


def timm_swin(classes: int = 10) -> nn.Module:
    """timm's Swin-T with patches of 2 pixels and windows of 4."""
    from timm.models.swin_transformer import SwinTransformer

    return SwinTransformer(img_size=32, patch_size=2, window_size=4, num_classes=classes)
