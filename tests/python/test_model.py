# SPDX-License-Identifier: Apache-2.0
"""Calls of a model: the command's results, no copy of any array, and clear words for what does not fit."""

import subprocess
import sys
import tracemalloc

import numpy
import pytest

import octet
from conftest import ROOT, command, random_pixels


def test_results_are_those_of_the_command(model_path, tmp_path):
    pixels = random_pixels(600)
    numpy.save(tmp_path / "x.npy", pixels)
    command("run", model_path, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    expected = numpy.load(tmp_path / "y.npy")
    for isa in octet.isas():
        for threads in 1, 2, 3:
            model = octet.load(model_path, isa=isa, threads=threads)
            assert model.isa == isa
            result = model(pixels)
            assert (result.dtype, result.shape) == (numpy.float32, (600, 10))
            assert result.tobytes() == expected.tobytes()
            assert model(pixels[7:8]).tobytes() == expected[7:8].tobytes()
    assert model(pixels[:0]).shape == (0, 10)


def test_several_inputs_and_outputs(several, tmp_path):
    rng = numpy.random.default_rng(1)
    pixels = rng.integers(0, 256, (5, 2, 3), numpy.uint8)
    x = rng.standard_normal((5, 2), numpy.float32)
    numpy.save(tmp_path / "pixels.npy", pixels)
    numpy.save(tmp_path / "x.npy", x)
    files = [tmp_path / f"out{i}.npy" for i in range(4)]
    command("run", ROOT / "tests/golden/v1.octet", "--input", tmp_path / "pixels.npy",
            "--input", tmp_path / "x.npy", *(word for file in files for word in ("--output", file)))
    expected = [numpy.load(file) for file in files]
    out = [numpy.full_like(array, 7) for array in expected]
    assert several(pixels, x, out=out) is out
    for results in several(pixels, x), several({"x": x, "pixels": pixels}), out:
        assert len(results) == 4
        for result, want in zip(results, expected):
            assert (result.dtype, result.shape) == (want.dtype, want.shape)
            assert result.tobytes() == want.tobytes()


def test_description(model, several):
    (pixels,), (logits,) = model.inputs, model.outputs
    assert pixels.name == "input" and pixels.dtype == numpy.uint8 and pixels.shape == (-1, 784)
    assert pixels.scale == pytest.approx(1 / 255 / 0.3081) and pixels.zero_point == 0
    assert pixels.normalization == pytest.approx((0.1307, 0.3081))
    assert logits == ("logits", numpy.float32, (-1, 10), None, None, None)
    assert [info.name for info in several.inputs] == ["pixels", "x"]
    assert [info.shape for info in several.outputs] == [(-1, 2), (-1, 3, 2), (-1, 2), (-1, 2)]
    v2, v3 = (octet.load(ROOT / f"tests/golden/{name}.octet") for name in ("v2", "v3"))
    assert (v2.outputs[1].dtype, v2.outputs[1].scale, v2.outputs[1].zero_point) == ("int8", 0.5, 5)
    assert (v3.outputs[4].dtype, v3.outputs[4].scale) == (numpy.int32, None)
    assert v3.outputs[2].shape == (-1,)
    sums = v3(numpy.ones((3, 2, 3), numpy.float32))[4]
    assert (sums.dtype, sums.shape) == (numpy.int32, (3, 2, 1))


def test_any_alignment():
    model = octet.load(ROOT / "tests/golden/v2.octet")
    x = numpy.random.default_rng(2).standard_normal((9, 5), numpy.float32)
    shifted = numpy.frombuffer(b"." + x.tobytes(), numpy.float32, offset=1).reshape(9, 5)
    assert not shifted.flags.aligned
    for result, want in zip(model(shifted), model(x)):
        assert result.tobytes() == want.tobytes()


def test_out_is_written_and_given_back(model):
    pixels = random_pixels(3)
    room = numpy.full((5, 10), -1, numpy.float32)
    assert model(pixels, out=room[1:4]).base is room
    assert (room[[0, 4]] == -1).all()
    assert room[1:4].tobytes() == model(pixels).tobytes()
    out = [numpy.empty((3, 10), numpy.float32)]
    assert model(pixels, out=out) is out and out[0].tobytes() == room[1:4].tobytes()


def test_python_allocates_no_more_than_the_outputs(model):
    pixels = random_pixels(20000)
    model(pixels[:1])
    tracemalloc.start()
    result = model(pixels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.nbytes <= peak < result.nbytes + 100_000 < pixels.nbytes / 10


# A copy of x, wherever made, would not find room in the address space.
NO_ROOM = """
import resource, sys
import numpy, octet
model = octet.load(sys.argv[1])
x = numpy.zeros((100_000, 784), numpy.uint8)
y = numpy.empty((100_000, 10), numpy.float32)
model(x[:1000], out=y[:1000])
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (24 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
assert model(x, out=y) is y
assert (y == y[0]).all()
try:
    x.copy()
except MemoryError:
    print("no room")
"""


def test_arrays_are_not_copied(model_path):
    line = [sys.executable, "-c", NO_ROOM, str(model_path)]
    assert subprocess.run(line, check=True, capture_output=True, text=True).stdout == "no room\n"


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        (lambda x: x.astype(numpy.float32), TypeError, ["float32", "uint8 (N, 784)"]),
        (lambda x: x.astype(numpy.int8), TypeError, ["int8", "uint8"]),
        (lambda x: x.tolist(), TypeError, ["no numpy array but list"]),
        (lambda x: x[0], ValueError, ["(784,)", "(N, 784)"]),
        (lambda x: x.reshape(-1, 28, 28), ValueError, ["(4, 28, 28)", "(N, 784)"]),
        (lambda x: x[:, 1:], ValueError, ["(4, 783)", "(N, 784)"]),
        (lambda x: numpy.asfortranarray(x), ValueError, ["C-contiguous", "numpy.ascontiguousarray"]),
        (lambda x: x[::2], ValueError, ["C-contiguous"]),
        (lambda x: x[::-1], ValueError, ["C-contiguous"]),
    ],
)
def test_wrong_input(model, wrong, error, words):
    with pytest.raises(error, match="^input 'input': ") as caught:
        model(wrong(random_pixels(4)))
    assert all(word in str(caught.value) for word in words), caught.value


def test_wrong_byte_order():
    model = octet.load(ROOT / "tests/golden/v2.octet")
    with pytest.raises(TypeError, match="is >f4, the network has float32"):
        model(numpy.zeros((1, 5), ">f4"))


def test_wrong_inputs(several, model):
    pixels, x = numpy.zeros((5, 2, 3), numpy.uint8), numpy.zeros((5, 2), numpy.float32)
    for arguments, error, words in [
        ((pixels,), TypeError, "1 input is given, the network's are: pixels, x"),
        ((pixels, x, x), TypeError, "3 inputs are given"),
        ((), TypeError, "0 inputs are given"),
        ((x, pixels), TypeError, "input 'pixels': is float32, the network has uint8 (N, 2, 3)"),
        ((pixels, x[:4]), ValueError, "input 'x': has 4 samples, but input 'pixels' has 5"),
        (({"pixels": pixels},), ValueError, "input 'x' (N, 2) is not given"),
        (({"pixels": pixels, "x": x, "y": x},), ValueError, "3 inputs are given"),
    ]:
        with pytest.raises(error) as caught:
            several(*arguments)
        assert words in str(caught.value)
    with pytest.raises(TypeError):
        model(random_pixels(1), output=x)


def test_wrong_out(model, several):
    x = random_pixels(4)
    read_only = numpy.empty((4, 10), numpy.float32)
    read_only.flags.writeable = False
    for out, error, words in [
        (numpy.empty((4, 10)), TypeError, "output 'logits': is float64, the network has float32"),
        (numpy.empty((4, 9), numpy.float32), ValueError, "has shape (4, 9), the network has (N, 10)"),
        (numpy.empty((5, 10), numpy.float32), ValueError, "room for 5 samples, 4 are given"),
        (numpy.empty((10, 4), numpy.float32).T, ValueError, "C-contiguous"),
        (read_only, ValueError, "read-only"),
        ([], TypeError, "an array for each output, which are: logits"),
        (3, TypeError, "no numpy array but int"),
    ]:
        with pytest.raises(error) as caught:
            model(x, out=out)
        assert words in str(caught.value)
    pixels, x = numpy.zeros((5, 2, 3), numpy.uint8), numpy.zeros((5, 2), numpy.float32)
    with pytest.raises(TypeError, match="for each output, which are: logits, probabilities"):
        several(pixels, x, out=numpy.empty((5, 2), numpy.float32))


def test_out_must_not_overlap(model, several):
    memory = numpy.zeros(4 * 784, numpy.uint8)
    out = memory[:160].view(numpy.float32).reshape(4, 10)
    with pytest.raises(ValueError, match="output 'logits' shares memory with input 'input'"):
        model(memory.reshape(4, 784), out=out)
    pixels, x = numpy.zeros((5, 2, 3), numpy.uint8), numpy.zeros((5, 2), numpy.float32)
    outs = [numpy.empty((5, *info.shape[1:]), info.dtype) for info in several.outputs]
    outs[2] = outs[0]
    with pytest.raises(ValueError, match="output 'x' shares memory with output 'logits'"):
        several(pixels, x, out=outs)


def test_models_come_from_load_alone(model, model_path):
    with pytest.raises(TypeError):
        octet.Model()
    assert repr(model) == f"<octet.Model '{model_path}' ({model.isa})>"
