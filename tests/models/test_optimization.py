import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.models.optimization import build_optimizer, build_schedule, learning_rate_factor


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 40), st.integers(1, 200))
def test_the_rate_rises_linearly_and_falls_to_zero(warmup: int, total: int) -> None:
    factors = [learning_rate_factor(step, warmup, total) for step in range(total + 1)]
    top = min(warmup, total)
    assert all(0 <= factor <= 1 for factor in factors)
    assert all(factors[step] == pytest.approx((step + 1) / warmup) for step in range(top))
    assert all(later <= earlier for earlier, later in zip(factors[top:], factors[top + 1 :], strict=False))
    if warmup < total:
        assert factors[warmup] == 1
        assert factors[total] == pytest.approx(0, abs=1e-12)
        assert all(factor > 0 for factor in factors[:-1])


def test_the_fall_is_a_cosine() -> None:
    assert learning_rate_factor(15, 10, 30) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert learning_rate_factor(20, 10, 30) == pytest.approx(0.5)


def test_beyond_the_end_the_rate_stays_zero() -> None:
    assert learning_rate_factor(500, 10, 30) == 0


def test_the_schedule_sets_the_rate_of_the_optimizer() -> None:
    parameter = nn.Parameter(torch.zeros(2, 2))
    optimizer = build_optimizer([parameter], Hyperparameters(learning_rate=0.1))
    schedule = build_schedule(optimizer, 2, 4)
    rates = []
    for _ in range(5):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.05, 0.1, 0.1, 0.05, 0.0])


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_norms_and_biases_do_not_decay(name: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
    hyperparameters = Hyperparameters(optimizer=name, learning_rate=0.1, weight_decay=0.5)  # type: ignore[arg-type]
    optimizer = build_optimizer(network.parameters(), hyperparameters)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    after = {key: float(value.detach().flatten()[0]) for key, value in network.named_parameters()}
    assert after == pytest.approx(
        {"0.weight": 0.95, "0.bias": 1.0, "1.weight": 1.0, "1.bias": 1.0, "3.weight": 0.95, "3.bias": 1.0}
    )


def test_sgd_has_momentum() -> None:
    parameter = nn.Parameter(torch.zeros(1, 1))
    hyperparameters = Hyperparameters(optimizer="sgd", learning_rate=1.0, weight_decay=0.0, momentum=0.5)
    optimizer = build_optimizer([parameter], hyperparameters)
    for _ in range(2):
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    assert float(parameter.detach()) == pytest.approx(-2.5)


def test_a_missing_learning_rate_is_refused():
    with pytest.raises(ValueError, match="with_learning_rate"):
        build_optimizer([torch.nn.Parameter(torch.ones(2, 2))], Hyperparameters())
