#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An article's whole flow on MNIST: train in float, quantize in PyTorch, export to ONNX, run in octet, compare.

    models/article.py [--data FOLDER] [--octet BINARY] [--output FOLDER] [--epochs 5]

Two networks: DigitsNet as printed, with one ReLU at the end, and the corrected one with ReLU between the layers. Each
is quantized after training (QuantStub, observers, convert) and by quantization-aware training (FakeQuantize), per
tensor and per channel. Every row is one ONNX file, converted by octet and run on the 10,000 test images beside PyTorch's
own int8. Needs Debian's python3-torch and octet's command."""
import argparse
import copy
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.ao import quantization
from torch.nn import functional

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tools")]
from export_torch import export  # noqa: E402
from train import MNIST, DataError, find_folder, read_split  # noqa: E402

FEATURES, HIDDEN, CLASSES = 28 * 28, 100, 10


class DigitsNet(nn.Module):
    """Three linear layers. The printed one has its only ReLU behind the last; the corrected one between them."""

    def __init__(self, corrected):
        super().__init__()
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
        self.linear1, self.linear2 = nn.Linear(FEATURES, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.linear3 = nn.Linear(HIDDEN, CLASSES)
        self.relu1, self.relu2 = (nn.ReLU(), nn.ReLU()) if corrected else (nn.Identity(), nn.Identity())
        self.relu3 = nn.Identity() if corrected else nn.ReLU()

    def forward(self, x):
        x = self.quant(x.reshape(x.shape[0], -1))
        x = self.relu1(self.linear1(x))
        x = self.relu2(self.linear2(x))
        return self.dequant(self.relu3(self.linear3(x)))


def fit(model, images, labels, epochs, rate, seed=0):
    """Trains in place. images: uint8."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    steps = epochs * -(-len(images) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(images), generator=generator).split(128):
            loss = functional.cross_entropy(model(as_input(images[rows])), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()


def as_input(images):
    return ((images.float() / 255 - MNIST.mean) / MNIST.std)[:, None]


def classes_of(model, images):
    """The network's answers."""
    with torch.no_grad():
        return torch.cat([model(as_input(part)).argmax(1) for part in images.split(1000)])


# The backend's own observers, but for the range of the weights per channel.
def static_config(per_channel):
    config = quantization.get_default_qconfig("qnnpack")
    weight = quantization.default_per_channel_weight_observer if per_channel else config.weight
    return quantization.QConfig(activation=config.activation, weight=weight)


def trained_config(per_channel):
    config = quantization.get_default_qat_qconfig("qnnpack", version=0)
    weight = quantization.default_per_channel_weight_fake_quant if per_channel else config.weight
    return quantization.QConfig(activation=config.activation, weight=weight)


def quantize_after(model, config, images, fused):
    """Post-training, static: returns the int8 network, which is also what is exported."""
    model = copy.deepcopy(model).eval()
    if fused:
        quantization.fuse_modules(model, [["linear1", "relu1"], ["linear2", "relu2"]], inplace=True)
    model.qconfig = config
    quantization.prepare(model, inplace=True)
    model(as_input(images[:1000]))
    int8 = quantization.convert(model)
    return int8, int8


def quantize_trained(model, config, images, labels, epochs):
    """Quantization-aware: returns PyTorch's int8 network, and the fake-quantized one that is exported."""
    model = copy.deepcopy(model).train()
    model.qconfig = config
    quantization.prepare_qat(model, inplace=True)
    fit(model, images, labels, epochs, 5e-4)
    return quantization.convert(copy.deepcopy(model)), model


class Octet:
    """octet's command on the test images."""

    def __init__(self, binary, folder, images):
        self.binary, self.folder = binary, folder
        self.pixels = folder / "pixels.npy"
        numpy.save(self.pixels, images.numpy()[:, None])

    def classes_of(self, onnx):
        model, logits = onnx.with_suffix(".octet"), onnx.with_suffix(".npy")
        normalize = f"{MNIST.mean},{MNIST.std}"
        self.command("convert", onnx, "-o", model, "--normalize", normalize)
        self.command("run", model, "--input", self.pixels, "--output", logits)
        return torch.from_numpy(numpy.load(logits).argmax(1)), model

    def command(self, *arguments):
        subprocess.run([self.binary, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def main():
    root = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FOLDER", help="holds mnist/ (default: $OCTET_DATA, the cache)")
    parser.add_argument("--octet", metavar="BINARY", default=root / "build/release/octet", help="octet's command")
    parser.add_argument("--output", metavar="FOLDER", type=Path, default=root / "out/article", help="for the files")
    parser.add_argument("--epochs", type=int, default=5, help="in float; quantization-aware: two fifths")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.backends.quantized.engine = "qnnpack"
    torch.manual_seed(0)
    try:
        folder = find_folder(MNIST, options.data)
        images, labels = read_split(folder, "train")
        test_images, test_labels = read_split(folder, "t10k")
    except DataError as error:
        sys.exit(f"article.py: {error}")
    if not os.access(options.octet, os.X_OK):
        sys.exit(f"article.py: {options.octet}: no such program; run tools/demo.sh, or give --octet")
    options.output.mkdir(parents=True, exist_ok=True)
    octet = Octet(options.octet, options.output, test_images)
    percent = lambda answers: 100 * (answers == test_labels).double().mean().item()  # noqa: E731

    print("network    quantized                    float  PyTorch    octet  agreement   ONNX float    octet", flush=True)
    for name, corrected in (("printed", False), ("corrected", True)):
        start = time.monotonic()
        model = DigitsNet(corrected)
        fit(model, images, labels, options.epochs, 2e-3)
        float_onnx = options.output / f"{name}.onnx"
        export(model, as_input(test_images[:1]), float_onnx)
        float_percent = percent(classes_of(model, test_images))
        more = max(1, options.epochs * 2 // 5)
        rows = [
            ("after, per tensor", lambda: quantize_after(model, static_config(False), images, False)),
            ("after, per channel", lambda: quantize_after(model, static_config(True), images, False)),
            ("trained, per tensor", lambda: quantize_trained(model, trained_config(False), images, labels, more)),
            ("trained, per channel", lambda: quantize_trained(model, trained_config(True), images, labels, more)),
        ]
        if corrected:
            rows.insert(2, ("after, per channel, fused", lambda: quantize_after(model, static_config(True), images, True)))
            fbgemm = quantization.get_default_qat_qconfig("fbgemm", version=0)
            rows.append(("trained, fbgemm's 7 bits", lambda: quantize_trained(model, fbgemm, images, labels, more)))
        for scheme, quantize in rows:
            int8, exported = quantize()
            path = options.output / f"{name}_{scheme.replace(', ', '_').replace(' ', '_').replace(chr(39), '')}.onnx"
            export(exported, as_input(test_images[:1]), path)
            theirs = classes_of(int8, test_images)
            ours, octet_file = octet.classes_of(path)
            agreement = 100 * (ours == theirs).double().mean().item()
            sizes = f"{float_onnx.stat().st_size / 1000:9.1f} KB {octet_file.stat().st_size / 1000:5.1f} KB"
            print(
                f"{name:10} {scheme:26} {float_percent:6.2f} % {percent(theirs):6.2f} % {percent(ours):6.2f} % {agreement:8.2f} %  {sizes}",
                flush=True,
            )
        print(f"           {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
