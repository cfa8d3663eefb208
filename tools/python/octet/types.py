# SPDX-License-Identifier: Apache-2.0
"""What octet gives back, and what it raises."""

from typing import Any, NamedTuple, Optional, Tuple

import numpy


class TensorInfo(NamedTuple):
    """An input or output of a network."""

    name: str
    dtype: "numpy.dtype[Any]"
    shape: Tuple[int, ...]  # the first is -1: any number of samples, as reshape takes it
    scale: Optional[float]  # of 8 bits: real = scale * (q - zero_point)
    zero_point: Optional[int]
    normalization: Optional[Tuple[float, float]]  # of pixels: mean and std of (p / 255 - mean) / std


class Report(NamedTuple):
    """What a conversion did; the last four are set where there were calibration data."""

    imported_nodes: int
    simplified_nodes: int
    quantized_nodes: int
    source_bytes: int
    bytes: int  # of the file that was written
    notes: Tuple[str, ...]  # what a user should know
    calibration: Optional[str] = None  # how ranges were taken
    samples: Optional[int] = None
    agreement: Optional[float] = None  # of the arg-max with the float network, in [0, 1]
    sqnr_db: Optional[float] = None  # of the first output; inf where nothing differs


class Error(Exception):
    """The base of all errors that octet has of its own. code tells which kind it is."""

    code = ""


class FileError(Error, OSError):
    """A file cannot be read or written."""

    code = "io"


class FormatError(Error, ValueError):
    """The bytes are no valid model, network or data."""

    code = "format"


class UnsupportedError(Error):
    """A valid file that this version cannot run or convert."""

    code = "unsupported"


class LimitError(Error):
    """A limit, or the memory at hand, is exceeded."""

    code = "limit"


class ArgumentError(Error, ValueError):
    """What the caller asks for does not fit the network."""

    code = "argument"


class CpuError(Error):
    """An instruction set that this build or this CPU lacks."""

    code = "cpu"


ERRORS = {
    error.code: error
    for error in (FileError, FormatError, UnsupportedError, LimitError, ArgumentError, CpuError)
}

for _public in (TensorInfo, Report, Error, *ERRORS.values()):
    _public.__module__ = "octet"
