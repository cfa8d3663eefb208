#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rescales the hidden neurons of an MLP by 2^-6 to 2^6: the same function, a hard case for 8 bits.

    models/rescale.py IN.onnx OUT.onnx [--seed 0]

Every Gemm (alpha = beta = 1, transB = 1) that is followed by Relu and another Gemm has its neurons multiplied, and
the weights that read them divided, by random powers of two. Needs Debian's python3-onnx and python3-numpy."""
import argparse
import sys

import numpy
import onnx
from onnx import numpy_helper


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    model = onnx.load(arguments.input)
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    gemms = [node for node in graph.node if node.op_type == "Gemm"]
    users = {name: [node for node in graph.node if name in node.input] for node in graph.node for name in node.output}
    random = numpy.random.default_rng(arguments.seed)

    def scale_constant(name, factors):
        array = numpy_helper.to_array(constants[name]) * factors.astype(numpy.float32)
        constants[name].CopyFrom(numpy_helper.from_array(array, name))

    for node in gemms:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        usual = attributes.get("alpha", 1) == 1 and attributes.get("beta", 1) == 1 and attributes.get("transB") == 1
        if not usual or len(node.input) != 3 or not all(name in constants for name in node.input[1:]):
            sys.exit(f"rescale.py: {arguments.input}: node {node.name!r}: needs alpha = beta = transB = 1, constant weights and bias")
    layers = 0
    for first in gemms:
        relu = users[first.output[0]]
        second = users[relu[0].output[0]] if len(relu) == 1 and relu[0].op_type == "Relu" else []
        if len(second) != 1 or second[0].op_type != "Gemm":
            continue
        neurons = constants[first.input[1]].dims[0]
        factors = 2.0 ** random.integers(-6, 7, neurons)
        scale_constant(first.input[1], factors[:, None])
        scale_constant(first.input[2], factors)
        scale_constant(second[0].input[1], 1 / factors[None, :])
        layers += 1
    if layers == 0:
        sys.exit(f"rescale.py: {arguments.input}: no Gemm, Relu, Gemm")
    onnx.save(model, arguments.output)


main()
