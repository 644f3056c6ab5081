import os
import signal

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mds_lightning.callbacks.runtime_errors import (
    ResourceError,
    WorkerKilledError,
    explain_runtime_errors,
    retry_killed_workers,
)
from mds_lightning.data.decode import ImageError, decode_image


class _Items(Dataset):
    def __init__(self, read):
        self.read = read

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.read(index)


def _kill(index):
    os.kill(os.getpid(), signal.SIGKILL)


def test_out_of_memory_names_the_keys_to_lower():
    with pytest.raises(ResourceError) as raised, explain_runtime_errors(32, (336, 448)):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore.")
    message = str(raised.value)
    assert "data.batch_size=32 images of 336 x 448 pixels" in message
    assert "lower data.batch_size (say, to 16) or data.image_size" in message
    assert "\n" not in message


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_killed_worker_is_reported():
    with (
        pytest.raises(ResourceError, match=r"was killed.*lower data\.num_workers"),
        explain_runtime_errors(2, (8, 8)),
    ):
        list(DataLoader(_Items(_kill), num_workers=1))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_an_unreadable_image_is_named_in_any_process(tmp_path, workers):
    path = tmp_path / "bad.png"
    path.write_bytes(b"no image")
    with pytest.raises(ImageError) as raised, explain_runtime_errors(2, (8, 8)):
        list(DataLoader(_Items(lambda index: decode_image(path)), num_workers=workers))
    assert str(raised.value).startswith(f"{path}: is not a readable JPEG")
    assert "Traceback" not in str(raised.value)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), explain_runtime_errors(2, (8, 8)):
        raise RuntimeError("shapes do not match")


def _failing(times, error=WorkerKilledError):
    """Work that fails so many times, and then returns the number of its calls."""
    calls = []

    def work():
        calls.append(1)
        if len(calls) <= times:
            raise error("a process was killed")
        return len(calls)

    return work


@pytest.mark.parametrize("killed", [0, 1, 2])
def test_work_continues_after_killed_workers(killed, caplog):
    assert retry_killed_workers(_failing(killed), most=2) == killed + 1
    assert len(caplog.records) == killed
    assert all("was killed; continuing" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("most", [0, 2])
def test_more_killed_workers_stop_it(most):
    work = _failing(most + 1)
    with pytest.raises(WorkerKilledError, match="was killed"):
        retry_killed_workers(work, most)
    assert work() == most + 2


def test_out_of_gpu_memory_is_not_retried():
    work = _failing(1, ResourceError)
    with pytest.raises(ResourceError):
        retry_killed_workers(work, most=5)
    assert work() == 2


def test_a_batch_of_one_value_for_each_channel_names_the_keys_to_increase():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 32), torch.nn.BatchNorm2d(4))
    reason = r"data\.batch_size=1 images of 32 x 32 pixels leave one: set data\.batch_size"
    with pytest.raises(ValueError, match=reason), explain_runtime_errors(1, (32, 32)):
        network(torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match="another"), explain_runtime_errors(1, (32, 32)):
        raise ValueError("another")
