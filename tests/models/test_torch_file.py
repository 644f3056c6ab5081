"""Files of torch.save are data: nothing in them runs, and they take no more memory than their size."""

import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mds_lightning.models.backbones import build_backbone
from mds_lightning.models.backbones.weights import WeightsError, load_weights, read_weights
from mds_lightning.models.torch_file import TorchFileError, read_torch_file

NAME = "squeezenet1_1"
#: Bytes that a process may reserve while it refuses a file.
LIMIT = 2 << 30


def state() -> dict[str, torch.Tensor]:
    return build_backbone(NAME, 2).state_dict()


@pytest.fixture(scope="module")
def key() -> str:
    return next(iter(state()))


def unusual(kind: str, tensor: torch.Tensor) -> torch.Tensor:
    if kind == "quantised":
        return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)
    return {
        "sparse": lambda: tensor.to_sparse(),
        "meta": lambda: tensor.to("meta"),
        "expanded": lambda: torch.zeros(1).expand(200_000, 100_000),
        "complex": lambda: tensor.to(torch.complex64),
        "float8": lambda: tensor.to(torch.float8_e4m3fn),
    }[kind]()


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("sparse", "not dense"),
        ("quantised", "quantised"),
        ("meta", "without data"),
        ("expanded", "expanded"),
        ("complex", "of the type torch.complex64"),
        ("float8", "of the type torch.float8_e4m3fn"),
    ],
)
def test_an_unusual_tensor_is_refused_by_name(tmp_path: Path, key: str, kind: str, named: str) -> None:
    path, content = tmp_path / "weights.pth", state()
    content[key] = unusual(kind, content[key])
    torch.save(content, path)
    with pytest.raises(WeightsError, match=rf"weights\.pth: the tensor {key} is .*{named}"):
        read_weights(path)
    checkpoint = tmp_path / "best.ckpt"
    torch.save({"state_dict": content, "epoch": 1}, checkpoint)
    with pytest.raises(TorchFileError, match=rf"best\.ckpt: the tensor state_dict\.{key} is .*{named}"):
        read_torch_file(checkpoint)


def test_a_type_that_no_network_has_is_refused_in_safetensors_too(tmp_path: Path, key: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(state() | {key: torch.zeros(2, dtype=torch.float8_e4m3fn)}, path)
    with pytest.raises(WeightsError, match=rf"the tensor {key} is of the type"):
        read_weights(path)


@pytest.mark.parametrize("is_head", [False, True])
@pytest.mark.parametrize(("value", "named"), [(float("nan"), "NaN or infinite"), (1e300, "NaN or infinite")])
def test_values_that_the_network_cannot_hold_are_refused_by_name(
    is_head: bool, value: float, named: str
) -> None:
    network = build_backbone(NAME, 2)
    given = network.state_dict()
    key = "classifier.1.weight" if is_head else next(iter(given))
    given[key] = torch.full_like(given[key], value, dtype=torch.float64)
    with pytest.raises(WeightsError, match=rf"{named}: {key}"):
        load_weights(network, given, ("classifier",), "FILE")


def test_a_negative_variance_is_refused_by_name() -> None:
    network = build_backbone("shufflenet_v2_x0_5", 2)
    given = network.state_dict()
    given["conv1.1.running_var"] = -given["conv1.1.running_var"]
    with pytest.raises(WeightsError, match=r"negative variance: conv1\.1\.running_var"):
        load_weights(network, given, ("fc",), "FILE")


def repack(path: Path, target: Path, compression: int) -> None:
    """The same members in another archive."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", compression) as made:
        for member in source.infolist():
            made.writestr(member.filename, source.read(member))


def bomb(path: Path) -> None:
    """4 GB of zeros in 4 MB."""
    small = path.with_suffix(".small")
    torch.save({"weight": torch.zeros(4)}, small)
    with zipfile.ZipFile(small) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for member in source.infolist():
            if "/data/" not in member.filename:
                made.writestr(member.filename, source.read(member))
                continue
            with made.open(member.filename, "w", force_zip64=True) as file:
                for _ in range(4):
                    for _ in range(64):
                        file.write(bytes(1 << 24))


def overlapping(path: Path) -> None:
    """An archive whose directory lists the same bytes a thousand times."""
    one = io.BytesIO()
    with zipfile.ZipFile(one, "w") as archive:
        archive.writestr("archive/data/0", bytes(1 << 16))
        entry = archive.infolist()[0]
        archive.filelist += [entry] * 999
    path.write_bytes(one.getvalue())


def test_members_that_are_larger_than_the_file_are_refused(tmp_path: Path) -> None:
    stored, packed = tmp_path / "stored.pth", tmp_path / "packed.pth"
    torch.save(state(), stored)
    repack(stored, packed, zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match=r"packed\.pth was not written by torch\.save: .* is compressed"):
        read_weights(packed)
    overlapping(tmp_path / "overlapping.pth")
    with pytest.raises(WeightsError, match=r"overlapping\.pth was not written by torch\.save: .* overlap"):
        read_weights(tmp_path / "overlapping.pth")


def test_a_declared_storage_that_the_file_does_not_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": Declared()}, path)
    with pytest.raises(WeightsError, match=r"weights\.pth (declares|is damaged|holds)"):
        read_weights(path)


class Declared:
    """A pickle that makes a tensor of 4 GB out of two numbers."""

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return torch.FloatTensor, (32_768, 32_768)


@pytest.mark.study
def test_hostile_files_are_refused_within_two_gigabytes(tmp_path: Path) -> None:
    bomb(tmp_path / "bomb.pth")
    overlapping(tmp_path / "overlapping.pth")
    torch.save({"weight": torch.zeros(1).expand(200_000, 100_000)}, tmp_path / "expanded.pth")
    torch.save({"weight": Declared()}, tmp_path / "declared.pth")
    (tmp_path / "list.pth").write_bytes(pickle.dumps([[0] * 10] * 10))
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mds_lightning.models.backbones.weights import WeightsError, read_weights\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.pth')):\n"
        "    try:\n"
        "        read_weights(path)\n"
        "    except WeightsError as error:\n"
        "        print(path.name, 'refused', str(error)[:60])\n"
        "print('grown', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(" refused " in line for line in lines) == 5, done.stdout
    assert int(lines[-1].split()[1]) * 1024 < LIMIT, "kilobytes that the process grew by"
