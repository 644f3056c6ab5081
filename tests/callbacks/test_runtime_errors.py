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


def test_want_of_memory_names_the_keys_to_lower():
    with pytest.raises(ResourceError) as raised, explain_runtime_errors(32, (336, 448)):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore.")
    message = str(raised.value)
    assert "data.batch_size=32 images of 336 x 448 pixels" in message
    assert "lower data.batch_size (say, to 16) or data.image_size" in message
    assert "\n" not in message


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_killed_worker_is_said_to_be_killed():
    with (
        pytest.raises(ResourceError, match=r"was killed.*lower data\.num_workers"),
        explain_runtime_errors(2, (8, 8)),
    ):
        list(DataLoader(_Items(_kill), num_workers=1))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_bad_image_is_refused_by_name_wherever_it_is_read(tmp_path, workers):
    path = tmp_path / "bad.png"
    path.write_bytes(b"no image")
    with pytest.raises(ImageError) as raised, explain_runtime_errors(2, (8, 8)):
        list(DataLoader(_Items(lambda index: decode_image(path)), num_workers=workers))
    assert str(raised.value).startswith(f"{path}: is not a readable JPEG")
    assert "Traceback" not in str(raised.value)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), explain_runtime_errors(2, (8, 8)):
        raise RuntimeError("shapes do not match")


def _dying(times, error=WorkerKilledError):
    """Work that is broken off so many times, and then counts how often it was begun."""
    begun = []

    def work():
        begun.append(1)
        if len(begun) <= times:
            raise error("a process was killed")
        return len(begun)

    return work


@pytest.mark.parametrize("deaths", [0, 1, 2])
def test_work_goes_on_after_so_many_deaths(deaths, caplog):
    assert retry_killed_workers(_dying(deaths), most=2) == deaths + 1
    assert len(caplog.records) == deaths
    assert all("was killed; going on" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("most", [0, 2])
def test_one_death_more_stops_it(most):
    work = _dying(most + 1)
    with pytest.raises(WorkerKilledError, match="was killed"):
        retry_killed_workers(work, most)
    assert work() == most + 2


def test_want_of_the_gpus_memory_is_no_death():
    work = _dying(1, ResourceError)
    with pytest.raises(ResourceError):
        retry_killed_workers(work, most=5)
    assert work() == 2
