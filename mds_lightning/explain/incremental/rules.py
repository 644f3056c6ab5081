"""Which nodes of a graph are known to be local."""

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from mds_lightning.explain.incremental import layers, wiring
from mds_lightning.explain.incremental.builder import Builder
from mds_lightning.explain.incremental.spatial import Call

#: From a node to what it stands for, or None where the rule does not recognise it.
Rule = Callable[[Builder, Call], Any]

_ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.Hardswish, nn.Hardsigmoid, nn.LogSigmoid, nn.PReLU,
    nn.Threshold,
)  # fmt: skip
_ACTIVATION_FUNCTIONS = (
    F.relu, F.relu6, F.hardtanh, F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish, F.sigmoid,
    F.tanh, F.softplus, F.softsign, F.hardswish, F.hardsigmoid, F.logsigmoid, torch.relu, torch.relu_,
    torch.sigmoid, torch.tanh, torch.abs, torch.neg, torch.exp, torch.sqrt, torch.square, torch.clamp,
    operator.neg,
)  # fmt: skip
_DROPOUTS = (nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout)
_SYMBOLS = {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv", "true_divide": "truediv"}

#: By the exact type of a module: a subclass may do something else.
MODULE_RULES: dict[type, Rule] = {
    nn.Conv2d: layers.convolve,
    nn.BatchNorm2d: layers.normalise,
    nn.MaxPool2d: layers.pool_maximum,
    nn.AvgPool2d: layers.pool_mean,
    nn.AdaptiveAvgPool2d: layers.pool_adaptively,
    nn.ZeroPad2d: layers.pad,
    nn.ConstantPad2d: layers.pad,
    nn.ChannelShuffle: wiring.shuffle,
    nn.Identity: wiring.keep,
    **dict.fromkeys(_ACTIVATIONS, layers.apply),
    **dict.fromkeys(_DROPOUTS, layers.drop),
}
FUNCTION_RULES: dict[Any, Rule] = {
    F.conv2d: layers.convolve,
    F.batch_norm: layers.normalise,
    F.max_pool2d: layers.pool_maximum,
    torch.max_pool2d: layers.pool_maximum,
    F.avg_pool2d: layers.pool_mean,
    F.adaptive_avg_pool2d: layers.pool_adaptively,
    torch.mean: layers.average,
    F.pad: layers.pad,
    torch.cat: wiring.concatenate,
    torch.concat: wiring.concatenate,
    torch.chunk: wiring.split,
    torch.split: wiring.split,
    operator.getitem: wiring.take,
    torch.reshape: wiring.view,
    torch.transpose: wiring.transpose,
    F.channel_shuffle: wiring.shuffle,
    torch.channel_shuffle: wiring.shuffle,
    F.dropout: layers.drop,
    F.dropout2d: layers.drop,
    **dict.fromkeys(_ACTIVATION_FUNCTIONS, layers.apply),
    **{getattr(torch, name): partial(layers.combine, symbol) for name, symbol in _SYMBOLS.items()},
    **{getattr(operator, name): partial(layers.combine, name) for name in ("add", "sub", "mul", "truediv")},
    **{
        getattr(operator, f"i{name}"): partial(layers.combine, name)
        for name in ("add", "sub", "mul", "truediv")
    },
}
METHOD_RULES: dict[str, Rule] = {
    "mean": layers.average,
    "chunk": wiring.split,
    "split": wiring.split,
    "view": wiring.view,
    "reshape": wiring.view,
    "transpose": wiring.transpose,
    "contiguous": wiring.keep,
    "clone": wiring.keep,
    "detach": wiring.keep,
    **{
        name + suffix: layers.apply
        for name in ("relu", "sigmoid", "tanh", "abs", "neg", "exp", "sqrt", "square", "clamp")
        for suffix in ("", "_")
    },
    **{
        name + suffix: partial(layers.combine, symbol)
        for name, symbol in _SYMBOLS.items()
        for suffix in ("", "_")
    },
}
#: Functions without a home in torch, by name: `torchvision.ops.stochastic_depth` is wrapped for tracing.
NAMED_RULES: dict[str, Rule] = {"stochastic_depth": layers.drop}


#: Rules that look at the shape of the result; of the others it is known without running the node.
_NEED_RESULT = (layers.pool_maximum, layers.pool_mean, wiring.split, wiring.view)


def needs_result(rule: Rule) -> bool:
    """Whether the node has to be run before the rule."""
    return rule in _NEED_RESULT


def find_rule(target: Any) -> Rule | None:
    """The rule for what a node calls (a module, a function, or a method's name), if there is one."""
    if isinstance(target, nn.Module):
        return MODULE_RULES.get(type(target))
    if isinstance(target, str):
        return METHOD_RULES.get(target)
    try:
        found = FUNCTION_RULES.get(target)
    except TypeError:
        return None
    return found or NAMED_RULES.get(getattr(target, "__name__", ""))
