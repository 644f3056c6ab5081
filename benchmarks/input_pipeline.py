"""From 2560 x 1920 JPEGs to batches at 448 pixels: this project, and plain decoding with albumentations.

    python benchmarks/input_pipeline.py       # about two minutes on one core

Everything runs in one process on one core, and CPU time is taken: the machine may have other work. The peer
is what users of lightning-hydra-template write: Pillow decodes, albumentations augments and normalises, the
default collation stacks float32 tensors. If litdata can be imported, its store of the same decoded fields
(optimised once to chunks of raw pixels) is read beside ours, with our augmentation; neither is a dependency:
`pip install albumentations==2.0.8 litdata`.
"""

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import cross_entropy
from torch.utils.data import default_collate

from mds_lightning.data.augmentation import Augmentation, AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.dataset import collate
from mds_lightning.data.decode import decode_image
from mds_lightning.data.pixel_store import PixelStore
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.models.classifier import SmearClassifier

SIZE = (336, 448)
BATCH = 16
PAPER = AugmentationParameters(
    crop=0.5, flips=True, quarter_turns=True, rotation=15, shear=5, translation=0.05,
    brightness=0.1, contrast=0.1, saturation=0.1, hue=0.02,
)  # fmt: skip


def write_fields(folder: Path, number: int) -> list[Path]:
    """Photographs of soft, coloured discs on a bright ground with the noise of a camera."""
    paths = []
    for index in range(number):
        random = np.random.default_rng(index)
        field = np.full((1920, 2560, 3), (225, 205, 215), np.uint8)
        for _ in range(220):
            x, y, radius = random.integers(0, 2560), random.integers(0, 1920), random.integers(20, 70)
            colour = random.integers((90, 40, 100), (220, 150, 210)).tolist()
            cv2.circle(field, (int(x), int(y)), int(radius), colour, -1, cv2.LINE_AA)
        noise = random.normal(0, 5, field.shape)
        pixels = (cv2.GaussianBlur(field, (0, 0), 2) + noise).clip(0, 255).astype(np.uint8)
        path = folder / f"{index:03d}.jpg"
        Image.fromarray(pixels).save(path, quality=92)
        paths.append(path)
    return paths


def plain(paths: list[Path]) -> Iterator[torch.Tensor]:
    """Batches as a template's user makes them: float32 (n, 3, H, W)."""
    import albumentations as A
    from albumentations.pytorch import ToTensorV2

    pipeline = A.Compose(
        [
            A.RandomRotate90(p=1.0),
            A.RandomResizedCrop(SIZE, scale=(0.5, 1.0), ratio=(4 / 3 * 0.8, 4 / 3 * 1.25)),
            A.HorizontalFlip(p=0.5),
            A.VerticalFlip(p=0.5),
            A.Affine(rotate=(-15, 15), shear=(-5, 5), translate_percent=(-0.05, 0.05), p=1.0),
            A.ColorJitter(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.02, p=1.0),
            A.Normalize(),
            ToTensorV2(),
        ]
    )
    cv2.setNumThreads(0)
    for start in range(0, len(paths), BATCH):
        fields = [np.array(Image.open(path).convert("RGB")) for path in paths[start : start + BATCH]]
        yield default_collate([pipeline(image=field)["image"] for field in fields])


def ours(read: Callable[[Path], NDArray[np.uint8]], paths: list[Path]) -> Iterator[torch.Tensor]:
    """Our batches, uint8 (n, 3, H, W), of fields that `read` gives resized for training."""
    augmentation = Augmentation(PAPER, SIZE)
    for start in range(0, len(paths), BATCH):
        views = [augmentation(read(path), start + k) for k, path in enumerate(paths[start : start + BATCH])]
        none = torch.tensor(0)
        items = [
            {"image": torch.from_numpy(view).permute(2, 0, 1), "target": none, "row": none, "weight": none}
            for view in views
        ]
        yield collate(items)["image"]


def store_reader(folder: Path, paths: list[Path], spec: ResizeSpec) -> Callable[[Path], NDArray[np.uint8]]:
    """Fill a cache and return what reads from it."""
    cache = FieldCache(CacheParameters(folder, workers=1))
    contents = cache.fill(paths, [spec], 10**8).contents
    store: PixelStore = cache.store(spec)
    return lambda path: store.read(store.place(contents[path]))


def litdata_reader(folder: Path, paths: list[Path], spec: ResizeSpec) -> Callable[[Path], NDArray[np.uint8]]:
    """The same fields in litdata's chunks, read at random places."""
    from litdata import StreamingDataset
    from litdata.streaming import Cache

    writer = Cache(str(folder), chunk_bytes="64MB")
    for index, path in enumerate(paths):
        writer[index] = torch.from_numpy(np.array(spec(decode_image(path))))
    writer.done()
    writer.merge()
    dataset = StreamingDataset(str(folder), shuffle=False)
    index_of = {path: index for index, path in enumerate(paths)}
    return lambda path: dataset[index_of[path]].numpy()


def cost(make: Callable[[list[Path]], Iterator[torch.Tensor]], paths: list[Path], rounds: int) -> float:
    """CPU seconds a field: the least of some rounds, as other work on the machine only adds."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        number = sum(len(batch) for batch in make(paths))
        times.append((time.process_time() - began) / number)
    return min(times)


def epoch(model: SmearClassifier, batches: Iterator[torch.Tensor]) -> float:
    """CPU seconds of an epoch of training."""
    optimizer = torch.optim.AdamW(model.parameters())
    began = time.process_time()
    for batch in batches:
        optimizer.zero_grad()
        cross_entropy(model(batch), torch.arange(len(batch)) % 2).backward()
        optimizer.step()
    return time.process_time() - began


def cached_epoch(folder: Path, paths: list[Path], repeats: int) -> tuple[float, float]:
    """CPU seconds of an epoch of SqueezeNet at 224 pixels: tensors in memory, and views from the cache."""
    size = (168, 224)
    augmentation = Augmentation(PAPER, size)
    read = store_reader(folder, paths, augmentation.resize_spec)
    items = paths * 8

    def batches() -> Iterator[torch.Tensor]:
        for start in range(0, len(items), BATCH):
            views = [
                torch.from_numpy(augmentation(read(path), start)) for path in items[start : start + BATCH]
            ]
            yield default_collate(views).permute(0, 3, 1, 2)

    memory = list(batches())
    torch.manual_seed(0)
    model = SmearClassifier("squeezenet1_1", ["donor", "MDS"]).train()
    epoch(model, iter(memory[:2]))
    pairs = [(epoch(model, iter(memory)), epoch(model, batches())) for _ in range(repeats)]
    return min(first for first, _ in pairs), min(second for _, second in pairs)


def main() -> None:
    """Time all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fields").mkdir()
        paths = write_fields(folder / "fields", arguments.fields)
        megabytes = sum(path.stat().st_size for path in paths) / 1e6 / len(paths)
        spec = Augmentation(PAPER, SIZE).resize_spec
        read = store_reader(folder / "cache", paths, spec)
        rows = {
            "plain: Pillow, albumentations, float32": cost(plain, paths, arguments.rounds),
            "ours, cache off": cost(
                lambda paths: ours(lambda path: spec(decode_image(path)), paths), paths, arguments.rounds
            ),
            "ours, cache on": cost(lambda paths: ours(read, paths), paths, 5 * arguments.rounds),
        }
        if importlib.util.find_spec("litdata"):
            chunks = litdata_reader(folder / "litdata", paths, spec)
            rows["litdata's chunks, our augmentation"] = cost(
                lambda paths: ours(chunks, paths), paths, 5 * arguments.rounds
            )
        print(f"{len(paths)} JPEGs of 2560 x 1920 pixels, {megabytes:.1f} MB each; CPU time on one core")
        slowest = next(iter(rows.values()))
        for label, seconds in rows.items():
            speed = f"{1000 * seconds:7.2f} ms a field {1 / seconds:8.1f} fields/s"
            print(f"{label:42s} {speed} {slowest / seconds:7.1f}x")
        memory, cached = cached_epoch(folder / "small", paths[:16], arguments.rounds)
        print(
            f"epoch of SqueezeNet at 224 px: {memory:.2f} s from memory, {cached:.2f} s from the cache, "
            f"ratio {cached / memory:.3f}"
        )


if __name__ == "__main__":
    main()
