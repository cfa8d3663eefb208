# SPDX-License-Identifier: Apache-2.0
# The compiled part of the package. Only Model is public, as octet.Model.
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from numpy.typing import NDArray

from .types import Report, TensorInfo

class Model:
    """A loaded network. Any number of threads may call it at the same time."""

    def __call__(
        self,
        *inputs: Union[NDArray[Any], Dict[str, NDArray[Any]]],
        out: Union[None, NDArray[Any], Sequence[NDArray[Any]]] = None,
    ) -> Any: ...  # an array, or of several outputs a tuple
    @property
    def inputs(self) -> Tuple[TensorInfo, ...]: ...
    @property
    def outputs(self) -> Tuple[TensorInfo, ...]: ...
    @property
    def isa(self) -> str: ...

class Limits:
    def __init__(
        self, file_bytes: int, tensors: int, arena_bytes: int, multiply_adds: int
    ) -> None: ...

version: str

def load(
    source: Any,
    is_path: bool,
    name: str,
    isa: Optional[str],
    copy: bool,
    threads: int,
    limits: Limits,
) -> Model: ...
def convert(options: Dict[str, Any]) -> Report: ...
def isas() -> List[str]: ...
