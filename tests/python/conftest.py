# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Python package share: networks, data, and the octet command to compare with."""

import os
import pathlib
import subprocess

import numpy
import pytest

import octet

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ["OCTET_COMMAND"]
PIXELS = (0.1307, 0.3081)


def command(*arguments):
    """Runs the octet command and gives what it prints."""
    line = [COMMAND, *map(str, arguments)]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def random_pixels(samples):
    return numpy.random.default_rng(samples).integers(0, 256, (samples, 784), numpy.uint8)


@pytest.fixture(scope="session")
def onnx():
    return ROOT / "models/mnist_mlp.onnx"


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """DATA as the command takes it: MNIST, or where that is missing random pixels."""
    mnist = pathlib.Path(os.environ.get("OCTET_DATA", "")) / "mnist"
    if os.environ.get("OCTET_DATA") and mnist.is_dir():
        return mnist
    path = tmp_path_factory.mktemp("data") / "pixels.npy"
    numpy.save(path, random_pixels(1000))
    return path


@pytest.fixture(scope="session")
def model_path(onnx, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "mnist_mlp.octet"
    octet.convert(onnx, path, calibrate=data, normalize=PIXELS)
    return path


@pytest.fixture(scope="session")
def model(model_path):
    return octet.load(model_path)


@pytest.fixture(scope="session")
def several():
    """Inputs uint8 'pixels' (N, 2, 3) and float32 'x' (N, 2); four outputs."""
    return octet.load(ROOT / "tests/golden/v1.octet")
