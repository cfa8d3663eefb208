#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains octet's reference networks on MNIST and Fashion-MNIST and exports them as float ONNX files.

Needs Debian's python3-torch (1.13) and nothing else; README.md beside this file tells the recipe and the results.
"""

import os
import platform

# Both are read when torch loads: AVX2 code on every x86-64 CPU, for a CPU with AVX-512 would sum in another order.
if platform.machine() == "x86_64":
    os.environ["DNNL_MAX_CPU_ISA"] = "AVX2"
    os.environ["ATEN_CPU_CAPABILITY"] = "avx2"

import argparse
import gzip
import hashlib
import io
import math
import struct
import sys
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

SIDE = 28
PIXELS = SIDE * SIDE
CLASSES = 10


@dataclass(frozen=True)
class Dataset:
    """Four IDX files in a folder, and the mean and standard deviation of the training pixels in [0, 1]."""

    name: str
    mean: float
    std: float
    system_folders: tuple  # searched after $OCTET_DATA and the cache
    remedy: str


@dataclass(frozen=True)
class Recipe:
    """One network and how it is trained. The augmentation limits are those of uniform distributions around 0."""

    dataset: Dataset
    widths: tuple  # of the layers, input and logits included
    input_shape: tuple  # of one image
    epochs: int
    rotation: float  # degrees
    zoom: float  # relative
    shear: float  # pixels sideways per pixel down
    shift: float  # pixels
    mirror: bool  # half of the images left to right
    batch: int = 256
    learning_rate: float = 2e-3  # the peak, after one epoch of warm-up; then a cosine to 0
    weight_decay: float = 0.5  # strong: small activations and even rows cost less in int8
    weight_clip: float = 3.0  # |weight| <= weight_clip * rms of its row


MNIST = Dataset("mnist", 0.1307, 0.3081, (), "run tools/get_mnist.sh, or set OCTET_DATA to the folder that holds mnist/")
FASHION = Dataset(
    "fashion-mnist",
    0.2860,
    0.3530,
    (Path("/usr/share/datasets/fashion-mnist"),),
    "apt install dataset-fashion-mnist, or set OCTET_DATA to the folder that holds fashion-mnist/",
)

DIGITS = dict(dataset=MNIST, input_shape=(PIXELS,), rotation=10, zoom=0.1, shear=0.1, shift=2, mirror=False)
CLOTHES = dict(dataset=FASHION, input_shape=(1, SIDE, SIDE), rotation=0, zoom=0, shear=0, shift=0.5, mirror=True)

MODELS = {
    "mnist_mlp": Recipe(widths=(PIXELS, 100, 100, CLASSES), epochs=60, **DIGITS),
    "mnist_mlp_512": Recipe(widths=(PIXELS, 512, 512, CLASSES), epochs=30, **DIGITS),
    "fashion_mlp": Recipe(widths=(PIXELS, 256, 128, CLASSES), epochs=40, weight_decay=0.3, **CLOTHES),
}


class DataError(Exception):
    """A data file that is missing or not what it should be; the message names it and what to do."""


def read_idx(folder, name, item_shape):
    """Returns the uint8 tensor [count, *item_shape] of the IDX file `name` or `name`.gz in `folder`."""
    path = folder / name
    if not path.is_file():
        path = folder / (name + ".gz")
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}; fetch it again") from error
    rank = 1 + len(item_shape)
    header = 4 + 4 * rank
    if len(data) < header:
        raise DataError(f"{path}: has {len(data)} bytes, an IDX header here takes {header}; fetch it again")
    magic, count, *items = struct.unpack(f">{1 + rank}I", data[:header])
    if magic != 0x800 + rank:
        raise DataError(f"{path}: magic number is {magic:#x}, IDX uint8 data of rank {rank} has {0x800 + rank:#x}")
    if tuple(items) != item_shape:
        raise DataError(f"{path}: items are {items}, expected {list(item_shape)}")
    expected = header + count * math.prod(item_shape)
    if len(data) != expected:
        raise DataError(f"{path}: has {len(data)} bytes, its header promises {expected}; fetch it again")
    return torch.frombuffer(bytearray(data), dtype=torch.uint8, offset=header).reshape(count, *item_shape)


def read_split(folder, prefix):
    """Returns images uint8 [count, 28, 28] and labels int64 [count]; `prefix` is `train` or `t10k`."""
    images = read_idx(folder, f"{prefix}-images-idx3-ubyte", (SIDE, SIDE))
    labels = read_idx(folder, f"{prefix}-labels-idx1-ubyte", ()).long()
    if len(images) != len(labels):
        raise DataError(f"{folder}: {prefix} has {len(images)} images and {len(labels)} labels; fetch both again")
    if len(labels) == 0 or labels.max() >= CLASSES:
        raise DataError(f"{folder}: {prefix} labels must be 0..{CLASSES - 1}, and at least one")
    return images, labels


def find_folder(dataset, data):
    """Returns the first folder that holds the data set: under `data`, $OCTET_DATA, the cache, the system's."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "octet"
    roots = [Path(data)] if data else [Path(os.environ[v]) for v in ["OCTET_DATA"] if os.environ.get(v)] + [cache]
    folders = [root / dataset.name for root in roots] + ([] if data else list(dataset.system_folders))
    for folder in folders:
        if any((folder / f"train-images-idx3-ubyte{suffix}").is_file() for suffix in ("", ".gz")):
            return folder
    raise DataError(f"{dataset.name}: not found in {', '.join(map(str, folders))}; {dataset.remedy}")


class Linear(nn.Linear):
    """nn.Linear on oneDNN: Debian's reference BLAS is ten times slower, and any other BLAS gives other bits."""

    def forward(self, x):
        if torch.onnx.is_in_onnx_export() or not torch.backends.mkldnn.is_available():
            return super().forward(x)
        return functional.linear(x.to_mkldnn(), self.weight, self.bias).to_dense()


def make_network(recipe):
    """Returns the untrained network: Flatten where images are not rows already, then Linear with ReLU between."""
    layers = OrderedDict()
    if len(recipe.input_shape) > 1:
        layers["flatten"] = nn.Flatten()
    for i, (inputs, outputs) in enumerate(zip(recipe.widths, recipe.widths[1:]), 1):
        if i > 1:
            layers[f"relu{i - 1}"] = nn.ReLU()
        layers[f"fc{i}"] = Linear(inputs, outputs)
        nn.init.kaiming_normal_(layers[f"fc{i}"].weight, nonlinearity="relu")
        nn.init.zeros_(layers[f"fc{i}"].bias)
    return nn.Sequential(layers)


def normalize(recipe, pixels):
    """Returns the network's input for pixels in [0, 1]: (pixel - mean) / std, in the shape of the input."""
    return ((pixels - recipe.dataset.mean) / recipe.dataset.std).reshape(-1, *recipe.input_shape)


def augment(recipe, pixels, generator):
    """Returns pixels [count, 28, 28], each image under its own small random affine map; 0 comes in at the borders."""

    def uniform(limit):
        return limit * (2 * torch.rand(len(pixels), generator=generator) - 1)

    angle, zoom = uniform(math.radians(recipe.rotation)), 1 + uniform(recipe.zoom)
    shear, dx, dy = uniform(recipe.shear), uniform(2 * recipe.shift / SIDE), uniform(2 * recipe.shift / SIDE)
    flip = torch.where(uniform(1) < 0, -1.0, 1.0) if recipe.mirror else torch.ones(len(pixels))
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    maps = torch.stack([flip * cos, flip * (shear * cos - sin), dx, sin, shear * sin + cos, dy], 1).reshape(-1, 2, 3)
    grid = functional.affine_grid(maps, (len(pixels), 1, SIDE, SIDE), align_corners=False)
    return functional.grid_sample(pixels[:, None], grid, align_corners=False)[:, 0]


def clip_rows(network, limit):
    """Bounds each weight by `limit` times its row's rms: an outlier would coarsen the int8 scale of its whole row."""
    with torch.no_grad():
        for weight in (p for p in network.parameters() if p.dim() == 2):
            bound = limit * weight.square().mean(1, keepdim=True).sqrt()
            weight.copy_(torch.maximum(torch.minimum(weight, bound), -bound))


def train(recipe, images, labels, seed, report):
    """Returns the trained network. Calls report(epochs done, mean loss) after each epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = make_network(recipe)
    decayed = [p for p in network.parameters() if p.dim() == 2]
    biases = [p for p in network.parameters() if p.dim() == 1]
    groups = [dict(params=decayed, weight_decay=recipe.weight_decay), dict(params=biases, weight_decay=0)]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    steps = math.ceil(len(images) / recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * steps, pct_start=1 / recipe.epochs, cycle_momentum=False
    )
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator).split(recipe.batch):
            pixels = augment(recipe, images[rows].float() / 255, generator)
            loss = functional.cross_entropy(network(normalize(recipe, pixels)), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            clip_rows(network, recipe.weight_clip)
            total += loss.item() * len(rows)
        report(epoch, total / len(images))
    return network


def count_correct(network, recipe, images, labels):
    """Returns how many images get their label."""
    with torch.no_grad():
        batches = zip(images.split(1000), labels.split(1000))
        return sum((network(normalize(recipe, x.float() / 255)).argmax(1) == y).sum().item() for x, y in batches)


def export(network, recipe):
    """Returns the bytes of the ONNX file: opset 13, `input` and `logits` with a dynamic batch."""
    file = io.BytesIO()
    torch.onnx.export(
        network.eval(),
        torch.zeros(1, *recipe.input_shape),
        file,
        opset_version=13,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
    )
    return file.getvalue()


def progress_bar(name, epochs):
    """Returns a report function for train(): a bar on stderr where that is a terminal, else nothing."""
    start = time.monotonic()

    def report(epoch, loss):
        if sys.stderr.isatty():
            left = (time.monotonic() - start) / epoch * (epochs - epoch)
            bar = "#" * (30 * epoch // epochs)
            end = "\n" if epoch == epochs else ""
            print(f"\r{name} [{bar:.<30}] {epoch}/{epochs} epochs, loss {loss:.4f}, {left:4.0f} s left", end=end, file=sys.stderr, flush=True)

    return report


def main():
    parser = argparse.ArgumentParser(description="Train octet's reference networks and export them as float ONNX files.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{', '.join(MODELS)} or all (default: all)")
    parser.add_argument("--data", metavar="FOLDER", help="holds mnist/ or fashion-mnist/ or both (default: $OCTET_DATA, the cache, Debian's)")
    parser.add_argument("--output", metavar="FOLDER", type=Path, default=Path(__file__).parent, help="for the .onnx files (default: this script's)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation (default: %(default)s)")
    options = parser.parse_args()
    names = list(MODELS) if not options.models or "all" in options.models else options.models
    for name in names:
        if name not in MODELS:
            parser.error(f"no model '{name}'; there are {', '.join(MODELS)} and all")

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        folders = {name: find_folder(MODELS[name].dataset, options.data) for name in names}
        options.output.mkdir(parents=True, exist_ok=True)
        for name in names:
            recipe, start = MODELS[name], time.monotonic()
            images, labels = read_split(folders[name], "train")
            test_images, test_labels = read_split(folders[name], "t10k")
            network = train(recipe, images, labels, options.seed, progress_bar(name, recipe.epochs))
            correct = count_correct(network, recipe, test_images, test_labels)
            onnx = export(network, recipe)
            path = options.output / f"{name}.onnx"
            path.write_bytes(onnx)
            print(f"{path}: {sum(p.numel() for p in network.parameters())} parameters, {len(onnx)} bytes")
            print(f"  float accuracy {100 * correct / len(test_labels):.2f} % of {len(test_labels)} test images")
            print(f"  sha256 {hashlib.sha256(onnx).hexdigest()}, {time.monotonic() - start:.0f} s", flush=True)
    except (DataError, OSError) as error:
        sys.exit(f"train.py: {error}")


if __name__ == "__main__":
    main()
