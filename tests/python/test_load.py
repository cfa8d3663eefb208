# SPDX-License-Identifier: Apache-2.0
"""Loading: from files and bytes, with options, and every kind of error."""

import os
import pickle

import numpy
import pytest

import octet
from conftest import random_pixels


def test_files_and_bytes_give_the_same_model(model_path):
    pixels = random_pixels(2)
    expected = octet.load(str(model_path))(pixels).tobytes()
    file = model_path.read_bytes()
    sources = [model_path, file, bytearray(file), memoryview(file), memoryview(b"." + file)[1:]]
    for source in [*sources, numpy.frombuffer(file, numpy.uint8)]:
        assert octet.load(source)(pixels).tobytes() == expected
    assert octet.load(model_path, copy=True)(pixels).tobytes() == expected
    assert repr(octet.load(file)).startswith("<octet.Model 'bytes'")


def test_paths_of_any_name(model_path, tmp_path):
    for name in "prüfung.octet".encode(), b"no utf-8 \xff.octet":
        path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
        with pytest.raises(octet.FileError) as caught:
            octet.load(path)
        assert path in str(caught.value)
        os.symlink(model_path, path)
        assert path in str(eval(repr(octet.load(path)).split(" ", 1)[1].rsplit(" ", 1)[0]))
    with pytest.raises(ValueError, match="null"):
        octet.load("a\0b")


def cut(file):
    return file[:-1]


def flipped(file):
    return file[:900] + bytes([file[900] ^ 1]) + file[901:]


@pytest.mark.parametrize("damage", [cut, flipped, lambda file: b"", lambda file: b"text", lambda file: bytes(5000)])
def test_bad_files(model_path, tmp_path, damage):
    bad = tmp_path / "bad.octet"
    bad.write_bytes(damage(model_path.read_bytes()))
    with pytest.raises(octet.FormatError, match="bad.octet: ") as caught:
        octet.load(bad)
    assert caught.value.code == "format" and isinstance(caught.value, (octet.Error, ValueError))
    with pytest.raises(octet.FormatError, match="^bytes: "):
        octet.load(bad.read_bytes())


def test_errors_by_kind(model_path, tmp_path):
    def raised(*arguments, **options):
        with pytest.raises(octet.Error) as caught:
            octet.load(*arguments, **options)
        return caught.value

    missing = raised(tmp_path / "missing.octet")
    assert isinstance(missing, OSError) and missing.code == "io"
    assert str(missing) == f"{tmp_path}/missing.octet: there is no such file; check the path"
    assert raised(tmp_path).code == "io"
    cpu = raised(model_path, isa="avx3")
    assert cpu.code == "cpu" and "'avx3', which is no instruction set of this build" in str(cpu)
    for limit in "file_bytes", "tensors", "arena_bytes", "multiply_adds":
        error = raised(model_path, **{limit: 1})
        assert (type(error), error.code) == (octet.LimitError, "limit")
        octet.load(model_path, **{limit: 1 << 40})
    assert raised(model_path, threads=1025).code == "limit"
    future = bytearray(model_path.read_bytes())
    future[8] = 99
    assert raised(future).code == "unsupported"
    again = pickle.loads(pickle.dumps(missing))
    assert (type(again), str(again), again.code) == (octet.FileError, str(missing), "io")


def test_wrong_arguments(model_path):
    for source in 3, None, ["net.octet"]:
        with pytest.raises(TypeError):
            octet.load(source)
    with pytest.raises(BufferError):
        octet.load(memoryview(bytes(100))[::2])
    with pytest.raises(ValueError, match="threads is 0"):
        octet.load(model_path, threads=0)
    with pytest.raises(TypeError):
        octet.load(model_path, file_bytes=-1)
    with pytest.raises(TypeError):
        octet.load(model_path, "avx2")


def test_isa_of_the_environment(model_path, monkeypatch):
    monkeypatch.setenv("OCTET_ISA", "scalar")
    assert octet.load(model_path).isa == "scalar"
    assert octet.load(model_path, isa=octet.isas()[0]).isa == octet.isas()[0]
    monkeypatch.setenv("OCTET_ISA", "avx3")
    with pytest.raises(octet.CpuError, match="OCTET_ISA is 'avx3'"):
        octet.load(model_path)
    assert "scalar" == octet.isas()[-1]
