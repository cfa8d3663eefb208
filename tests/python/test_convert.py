# SPDX-License-Identifier: Apache-2.0
"""Conversions: the command's bytes for the command's options, from files and from arrays."""

import inspect
import re
import signal

import numpy
import pytest

import octet
from conftest import PIXELS, command, random_pixels


def arguments(options):
    """The command's words for options of octet.convert."""
    words = []
    for name, value in options.items():
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
    return words


def converted(tmp_path, onnx, **options):
    """The bytes that the command writes."""
    command("convert", onnx, "-o", tmp_path / "command.octet", *arguments(options))
    return (tmp_path / "command.octet").read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        {"normalize": PIXELS},
        {"samples": 200},
        {"symmetric": True, "weights": "per-tensor", "samples": 100},
        {"calibration": "percentile", "percentile": 99.5, "samples": 100},
        {"calibration": "mse", "equalize": True, "samples": 100},
        {"keep_float": ["/fc1/Gemm", "/fc3/Gemm"], "samples": 100},
        {"auto": True, "max_drop": 0.5, "samples": 100, "normalize": PIXELS},
        {"mode": "weight-only", "samples": 100},
    ],
)
def test_the_bytes_are_the_command_s(onnx, data, tmp_path, options):
    report = octet.convert(onnx, tmp_path / "python.octet", calibrate=data, **options)
    file = (tmp_path / "python.octet").read_bytes()
    assert file == converted(tmp_path, onnx, calibrate=data, **options)
    assert report.bytes == len(file) and report.source_bytes == onnx.stat().st_size
    assert report.samples == options.get("samples", 1000)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "dynamic"},
        {"mode": "weight-only"},
        {"mode": "weight-only", "weight_bits": 4},
        {"mode": "weight-only", "weight_bits": 4, "group_size": 16, "normalize": PIXELS},
    ],
)
def test_without_data(onnx, tmp_path, options):
    report = octet.convert(str(onnx), str(tmp_path / "python.octet"), **options)
    assert (tmp_path / "python.octet").read_bytes() == converted(tmp_path, onnx, **options)
    assert report[6:] == (None, None, None, None)


def test_arrays_are_what_their_files_would_be(onnx, tmp_path):
    def by_array(array, **options):
        octet.convert(onnx, tmp_path / "python.octet", calibrate=array, **options)
        return (tmp_path / "python.octet").read_bytes()

    def by_file(array, **options):
        numpy.save(tmp_path / "x.npy", array)
        return converted(tmp_path, onnx, calibrate=tmp_path / "x.npy", **options)

    pixels = random_pixels(120)
    expected = by_file(pixels, normalize=PIXELS)
    for same in pixels, [pixels], pixels.reshape(-1, 28, 28), numpy.asfortranarray(pixels):
        assert by_array(same, normalize=PIXELS) == expected
    assert by_array(numpy.repeat(pixels, 2, 0)[::2], normalize=PIXELS) == expected
    few = by_array(pixels, normalize=PIXELS, samples=40)
    assert few == by_file(pixels, normalize=PIXELS, samples=40) != expected
    reals = numpy.random.default_rng(5).standard_normal((200, 784))
    assert by_array(reals) == by_file(reals) == by_array(reals.astype(numpy.float32)) != expected
    labels = numpy.arange(120) % 10
    numpy.save(tmp_path / "labels.npy", labels)
    numpy.save(tmp_path / "x.npy", pixels)
    both = f"{tmp_path}/x.npy,{tmp_path}/labels.npy"
    options = {"normalize": PIXELS, "auto": True, "max_drop": 1}
    assert by_array([pixels, labels], **options) == converted(tmp_path, onnx, calibrate=both, **options)


def test_report(onnx, tmp_path, capfd):
    pixels = random_pixels(150)
    report = octet.convert(onnx, tmp_path / "net.octet", calibrate=pixels, normalize=PIXELS, auto=True)
    assert capfd.readouterr() == ("", "")
    assert (report.imported_nodes, report.simplified_nodes) == (5, 3)
    assert any("calibration auto" in note for note in report.notes)
    assert 0.9 < report.agreement <= 1 and 30 < report.sqnr_db < 80
    # What the command says of the same files.
    numpy.save(tmp_path / "x.npy", pixels)
    options = {"calibrate": tmp_path / "x.npy", "normalize": PIXELS, "auto": True}
    said = command("convert", onnx, "-o", tmp_path / "net.octet", *arguments(options))
    assert re.findall("note +(.*)", said) == list(report.notes)
    for words in [
        f"5 imported, 3 simplified, {report.quantized_nodes} quantized",
        f"{report.source_bytes:,} -> {report.bytes:,} ",
        f"{report.calibration}, {report.samples} samples of ",
        f"agrees on {100 * report.agreement:.2f} %, SQNR of 'logits' {report.sqnr_db:.1f} dB",
    ]:
        assert words in said


def test_options_are_the_command_s():
    help_text = command("convert", "--help")
    names = {name.replace("-", "_") for name in re.findall(r"^ +(?:-\w,)?--([\w-]+)", help_text, re.M)}
    parameters = inspect.signature(octet.convert).parameters
    assert names - {"help"} == set(parameters) - {"model"}
    for name, default in re.findall(r"^ +--([\w-]+) [\w|-]+=([\w.-]+)", help_text, re.M):
        if name != "percentile":  # None, so that one which is not looked at can be refused
            assert str(parameters[name.replace("-", "_")].default) == default
    for name, choices in re.findall(r"^ +--([\w-]+) ((?:[\w-]+\|)+[\w-]+)=", help_text, re.M):
        with pytest.raises((ValueError, TypeError)) as caught:
            octet.convert("net.onnx", "net.octet", **{name.replace("-", "_"): "other"})
        assert all(choice in str(caught.value) for choice in choices.split("|"))


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({}, octet.ArgumentError, "needs calibration data"),
        ({"mode": "dynamic", "symmetric": True}, octet.ArgumentError, "leave --symmetric out"),
        ({"calibrate": "none.npy"}, octet.FileError, "none.npy: there is no such file"),
        ({"calibrate": random_pixels(3)[:, 1:]}, octet.ArgumentError, "takes 784"),
        ({"calibrate": numpy.zeros(784, ">f4")}, TypeError, "array of >f4"),
        ({"calibrate": numpy.array(3.0)}, octet.FormatError, "a scalar"),
        ({"calibrate": random_pixels(3)[:0]}, octet.FormatError, "holds no sample"),
        ({"calibrate": [random_pixels(3)] * 3}, octet.ArgumentError, "3 arrays, but 1 for the network's inputs"),
        ({"calibrate": []}, ValueError, "empty list"),
        ({"calibrate": [[1, 2]]}, TypeError, "holds a list"),
        ({"calibrate": 3}, TypeError, ""),
        ({"calibration": random_pixels(3)}, TypeError, "calibration is a ndarray"),
        ({"percentile": 99.0}, ValueError, "percentile needs calibration"),
        ({"calibration": "percentile", "percentile": 50}, ValueError, "in (50, 100]"),
        ({"calibration": "percentile", "percentile": float("nan")}, ValueError, "in (50, 100]"),
        ({"max_drop": 1.0}, ValueError, "max_drop needs auto=True"),
        ({"max_drop": float("nan"), "auto": True}, ValueError, "in [0, 100]"),
        ({"samples": 0}, ValueError, "samples is 0"),
        ({"group_size": 0}, ValueError, "group_size is 0"),
        ({"normalize": (0.1, 0)}, ValueError, "std above 0"),
        ({"normalize": (0.1, float("inf"))}, ValueError, "std above 0"),
        ({"keep_float": "fc1"}, TypeError, "list of names"),
        ({"weight_bits": 5, "mode": "weight-only"}, ValueError, "weight_bits is 5"),
        ({"weight_bits": 4, "mode": "weight-only", "strict": True}, octet.UnsupportedError, "fc1"),
    ],
)
def test_what_is_refused_leaves_no_file(onnx, tmp_path, options, error, words):
    with pytest.raises(error) as caught:
        octet.convert(onnx, tmp_path / "net.octet", **options)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_bad_networks(onnx, tmp_path):
    (tmp_path / "text.onnx").write_text("a text file, nothing else\n")
    with pytest.raises(octet.FormatError, match="text.onnx"):
        octet.convert(tmp_path / "text.onnx", tmp_path / "net.octet", mode="dynamic")
    with pytest.raises(octet.FileError, match="none.onnx"):
        octet.convert(tmp_path / "none.onnx", tmp_path / "net.octet", mode="dynamic")
    with pytest.raises(octet.FileError, match="there is no folder"):
        octet.convert(onnx, tmp_path / "none" / "net.octet", mode="dynamic")
    assert [path.name for path in tmp_path.iterdir()] == ["text.onnx"]


def test_a_signal_ends_a_conversion(onnx, tmp_path):
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Stop):  # without it this takes many seconds
            octet.convert(onnx, tmp_path / "net.octet", calibrate=random_pixels(20000), samples=20000, auto=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not list(tmp_path.iterdir())
