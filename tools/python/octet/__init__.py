# SPDX-License-Identifier: Apache-2.0
"""octet runs quantized (int8) neural networks: the same bits on every CPU.

    import octet
    model = octet.load("mnist_mlp.octet")
    logits = model(pixels)             # uint8 (N, 784) -> float32 (N, 10)
"""

import math
import os
from typing import Any, List, Optional, Sequence, Tuple, Union

import numpy
from numpy.typing import NDArray

from . import _octet
from ._octet import Model
from .types import (
    ArgumentError,
    CpuError,
    Error,
    FileError,
    FormatError,
    LimitError,
    Report,
    TensorInfo,
    UnsupportedError,
)

__all__ = [
    "ArgumentError", "CpuError", "Error", "FileError", "FormatError", "LimitError", "Model",
    "Report", "TensorInfo", "UnsupportedError", "convert", "isas", "load",
]
__version__: str = _octet.version

Model.__module__ = __name__

Path = Union[str, "os.PathLike[str]"]
Data = Union[Path, NDArray[Any], Sequence[NDArray[Any]]]


def load(
    source: Union[Path, bytes, bytearray, memoryview],
    *,
    isa: Optional[str] = None,
    copy: bool = False,
    threads: int = 1,
    file_bytes: int = 0,
    tensors: int = 0,
    arena_bytes: int = 0,
    multiply_adds: int = 0,
) -> Model:
    """Loads a model from a file, or from bytes.

    isa forces a kernel table (see isas); without it $OCTET_ISA does, or the best of this CPU is
    taken. copy reads the file instead of mapping it, for files that others may shorten. Each call
    of the model may use that many threads, shared by all its calls. The rest are limits of what a
    file may ask for, 0 for the engine's own: see octet_limits in octet_c.h.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}, must be at least 1")
    limits = _octet.Limits(file_bytes, tensors, arena_bytes, multiply_adds)
    if isinstance(source, (str, os.PathLike)):
        path = _path("source", source)
        return _octet.load(path, True, os.fsdecode(path), isa, copy, threads, limits)
    return _octet.load(source, False, "bytes", isa, copy, threads, limits)


def convert(
    model: Path,
    output: Path,
    *,
    calibrate: Optional[Data] = None,
    samples: int = 1000,
    normalize: Optional[Tuple[float, float]] = None,
    mode: str = "static",
    weight_bits: int = 8,
    group_size: Optional[int] = None,
    weights: str = "per-channel",
    strict: bool = False,
    symmetric: bool = False,
    equalize: bool = False,
    auto: bool = False,
    max_drop: Optional[float] = None,
    keep_float: Sequence[str] = (),
    calibration: str = "minmax",
    percentile: Optional[float] = None,
) -> Report:
    """Turns an ONNX network, float or quantized, into a model file.

    The options are those of `octet convert`, which gives the same file; `octet convert --help`
    explains them. calibrate is DATA as the command takes it, an array of samples, or a list of
    arrays: one for each input of the network, then labels where max_drop should go by them.
    """
    _choice("mode", mode, ("static", "dynamic", "weight-only"))
    _choice("weight_bits", weight_bits, (8, 4))
    _choice("weights", weights, ("per-channel", "per-tensor"))
    _choice("calibration", calibration, ("minmax", "percentile", "mse", "entropy", "auto"))
    if percentile is not None and calibration not in ("percentile", "auto"):
        raise ValueError("percentile needs calibration='percentile' or 'auto'")
    _check("percentile", percentile, percentile is None or 50 < percentile <= 100, "in (50, 100]")
    if max_drop is not None and not auto:
        raise ValueError("max_drop needs auto=True")
    _check("max_drop", max_drop, max_drop is None or 0 <= max_drop <= 100, "in [0, 100]")
    _check("samples", samples, samples >= 1, "at least 1")
    _check("group_size", group_size, group_size is None or group_size >= 1, "at least 1")
    if normalize is not None:
        mean, std = normalize
        good = math.isfinite(mean) and math.isfinite(std) and std > 0
        _check("normalize", normalize, good, "(mean, std) with std above 0")
    if isinstance(keep_float, str):
        raise TypeError("keep_float is a str, must be a list of names")
    return _octet.convert(
        {
            "model": _path("model", model),
            "output": _path("output", output),
            "calibrate": _data(calibrate),
            "samples": samples,
            "normalize": normalize,
            "mode": mode,
            "weight_bits": weight_bits,
            "group_size": group_size or 0,
            "weights": weights,
            "strict": strict,
            "symmetric": symmetric,
            "equalize": equalize,
            "auto": auto,
            "max_drop": max_drop,
            "keep_float": list(keep_float),
            "calibration": calibration,
            "percentile": percentile,
        }
    )


def isas() -> List[str]:
    """The kernel tables that this CPU can run, best first."""
    return _octet.isas()


def _path(name: str, path: Path) -> bytes:
    encoded = os.fsencode(path)
    _check(name, path, b"\0" not in encoded, "without a null character")
    return encoded


def _data(calibrate: Optional[Data]) -> Union[bytes, List[NDArray[Any]]]:
    if calibrate is None:
        return b""
    if isinstance(calibrate, (str, os.PathLike)):
        return _path("calibrate", calibrate)
    arrays = [calibrate] if isinstance(calibrate, numpy.ndarray) else list(calibrate)
    for array in arrays:
        if not isinstance(array, numpy.ndarray):
            raise TypeError(f"calibrate holds a {type(array).__name__}, must hold numpy arrays")
    if not arrays:
        raise ValueError("calibrate is an empty list, must hold an array for each input")
    return arrays


def _choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    if not isinstance(value, type(choices[0])):
        raise TypeError(f"{name} is a {type(value).__name__}, must be one of {choices}")
    _check(name, value, value in choices, f"one of {choices}")


def _check(name: str, value: Any, good: bool, must: str) -> None:
    if not good:
        raise ValueError(f"{name} is {value!r}, must be {must}")
