"""The rule for each module, function and method that is known to be local."""

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from mds_lightning.explain.incremental.graph import channel_rules, layer_rules
from mds_lightning.explain.incremental.graph.node_values import Call
from mds_lightning.explain.incremental.graph.program_builder import Builder

#: From a node to its value, or None where the rule does not apply.
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
    nn.Conv2d: layer_rules.convolve,
    nn.BatchNorm2d: layer_rules.normalise,
    nn.MaxPool2d: layer_rules.pool_maximum,
    nn.AvgPool2d: layer_rules.pool_mean,
    nn.AdaptiveAvgPool2d: layer_rules.pool_adaptively,
    nn.ZeroPad2d: layer_rules.pad,
    nn.ConstantPad2d: layer_rules.pad,
    nn.ChannelShuffle: channel_rules.shuffle,
    nn.Identity: channel_rules.keep,
    **dict.fromkeys(_ACTIVATIONS, layer_rules.apply),
    **dict.fromkeys(_DROPOUTS, layer_rules.drop),
}
FUNCTION_RULES: dict[Any, Rule] = {
    F.conv2d: layer_rules.convolve,
    F.batch_norm: layer_rules.normalise,
    F.max_pool2d: layer_rules.pool_maximum,
    torch.max_pool2d: layer_rules.pool_maximum,
    F.avg_pool2d: layer_rules.pool_mean,
    F.adaptive_avg_pool2d: layer_rules.pool_adaptively,
    torch.mean: layer_rules.average,
    F.pad: layer_rules.pad,
    torch.cat: channel_rules.concatenate,
    torch.concat: channel_rules.concatenate,
    torch.chunk: channel_rules.split,
    torch.split: channel_rules.split,
    operator.getitem: channel_rules.take,
    torch.reshape: channel_rules.view,
    torch.transpose: channel_rules.transpose,
    F.channel_shuffle: channel_rules.shuffle,
    torch.channel_shuffle: channel_rules.shuffle,
    F.dropout: layer_rules.drop,
    F.dropout2d: layer_rules.drop,
    **dict.fromkeys(_ACTIVATION_FUNCTIONS, layer_rules.apply),
    **{getattr(torch, name): partial(layer_rules.combine, symbol) for name, symbol in _SYMBOLS.items()},
    **{
        getattr(operator, name): partial(layer_rules.combine, name)
        for name in ("add", "sub", "mul", "truediv")
    },
    **{
        getattr(operator, f"i{name}"): partial(layer_rules.combine, name)
        for name in ("add", "sub", "mul", "truediv")
    },
}
METHOD_RULES: dict[str, Rule] = {
    "mean": layer_rules.average,
    "chunk": channel_rules.split,
    "split": channel_rules.split,
    "view": channel_rules.view,
    "reshape": channel_rules.view,
    "transpose": channel_rules.transpose,
    "contiguous": channel_rules.keep,
    "clone": channel_rules.keep,
    "detach": channel_rules.keep,
    **{
        name + suffix: layer_rules.apply
        for name in ("relu", "sigmoid", "tanh", "abs", "neg", "exp", "sqrt", "square", "clamp")
        for suffix in ("", "_")
    },
    **{
        name + suffix: partial(layer_rules.combine, symbol)
        for name, symbol in _SYMBOLS.items()
        for suffix in ("", "_")
    },
}
#: Functions outside torch, by name: `torchvision.ops.stochastic_depth` is wrapped for tracing.
NAMED_RULES: dict[str, Rule] = {"stochastic_depth": layer_rules.drop}


#: Rules that need the shape of the result; for the others it is known without running the node.
_NEED_RESULT = (layer_rules.pool_maximum, layer_rules.pool_mean, channel_rules.split, channel_rules.view)


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
