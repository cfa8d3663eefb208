# SPDX-License-Identifier: Apache-2.0
"""The package itself: its stubs and hints, its version, and that the module exports nothing but itself."""

import ast
import inspect
import pathlib
import re
import subprocess

import octet
from octet import _octet

FOLDER = pathlib.Path(octet.__file__).parent


def parameters(function):
    arguments = function.args
    names = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    names += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    return names + [argument.arg for argument in arguments.kwonlyargs]


def described(function):
    """The parameters' names as the first line of pybind11's documentation tells them."""
    inside = re.match(r"\w+\((.*)\) -> ", function.__doc__.splitlines()[0]).group(1)
    return re.findall(r"(?:^|, )(\*?\w+)", re.sub(r"\[[^]]*\]", "", inside))


def test_stubs_agree_with_the_module():
    stubs = {node.name: node for node in ast.parse((FOLDER / "_octet.pyi").read_text()).body if hasattr(node, "name")}
    public = {name for name in vars(_octet) if not name.startswith("_")}
    assert set(stubs) | {"version"} == public
    for name, stub in stubs.items():
        real = getattr(_octet, name)
        if isinstance(stub, ast.FunctionDef):
            assert inspect.isbuiltin(real)
            assert len(described(real)) == len(parameters(stub))
            continue
        members = {member.name: member for member in stub.body if isinstance(member, ast.FunctionDef)}
        own = {key for key in vars(real) if not key.startswith("_")}
        assert {key for key in members if not key.startswith("_")} == own
        for key in own:
            assert isinstance(vars(real)[key], property)
    call = next(member for member in stubs["Model"].body if getattr(member, "name", "") == "__call__")
    assert parameters(call) == ["self", "*inputs", "out"]
    assert described(_octet.Model.__call__) == ["self", "*args", "out"]
    assert call.args.kw_defaults[0].value is None


def test_everything_public_is_listed_documented_and_typed():
    public = {name for name, value in vars(octet).items()
              if not name.startswith("_") and getattr(value, "__module__", "") == "octet"} - {"Data", "Path"}
    assert public == set(octet.__all__)
    assert (FOLDER / "py.typed").is_file()
    for name in octet.__all__:
        value = getattr(octet, name)
        assert value.__doc__ and value.__module__ == "octet"
        if inspect.isfunction(value):
            signature = inspect.signature(value)
            assert signature.return_annotation is not inspect.Signature.empty
            assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


def test_errors_have_the_engine_s_codes():
    errors = [getattr(octet, name) for name in octet.__all__ if name.endswith("Error") and name != "Error"]
    assert all(issubclass(error, octet.Error) for error in errors)
    assert sorted(error.code for error in errors) == ["argument", "cpu", "format", "io", "limit", "unsupported"]


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", octet.__version__)


def test_the_module_exports_its_entry_alone():
    said = subprocess.run(["nm", "-D", "--defined-only", _octet.__file__], check=True, capture_output=True, text=True)
    assert [line.split()[-1] for line in said.stdout.splitlines()] == ["PyInit__octet"]
