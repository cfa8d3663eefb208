# SPDX-License-Identifier: Apache-2.0
"""Quantizes a float network as octet convert does and writes it as ONNX for ONNX Runtime: a chain of com.microsoft.QGemm
from uint8 pixels to float logits, without a quantize or dequantize node, which is the fastest form it has. ReLU is the
saturation at the zero point. Activations get the scales and zero points of octet's model.

    quantize.py FLOAT.onnx INFO.json OUT.onnx        INFO.json: octet info MODEL.octet --json
"""
import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def linear_layers(graph):
    """The [n, k] weight and the bias of each Gemm; anything but plain Gemm (transB) and Relu is refused."""
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Gemm":
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            others = {name: value for name, value in attributes.items() if value != 1}
            if attributes.get("transB") != 1 or others or len(node.input) != 3:
                sys.exit(f"quantize.py: {node.name}: a Gemm needs transB=1, alpha and beta 1, and a bias")
            yield constants[node.input[1]], constants[node.input[2]]
        elif node.op_type != "Relu":
            sys.exit(f"quantize.py: {node.name}: {node.op_type} is not known here")


def main(float_path, info_path, out_path):
    with open(info_path, encoding="utf-8") as file:
        info = json.load(file)
    made = info["metadata"]
    if (made["weights"], made["activations"]) != ("per-channel", "asymmetric"):
        sys.exit(f"quantize.py: {info_path}: convert with per-channel weights and asymmetric activations")
    layers = list(linear_layers(onnx.load(float_path).graph))
    # Per activation: scale, zero point, and the real value of code 0.
    pixels = info["inputs"][0]
    activations = [(pixels["scale"], 0, -pixels["mean"] / pixels["std"])]
    for node in info["nodes"][:-1]:
        y = node["output"]
        activations.append((y["scale"], y["zero_point"], 0.0))
    if len(activations) != len(layers):
        sys.exit(f"quantize.py: {len(layers)} Gemm in {float_path}, {len(activations)} nodes in {info_path}")

    nodes, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(array, name))
        return name

    value = "input"
    for i, (weight, bias) in enumerate(layers):
        scale, zero_point, offset = activations[i]
        weight_scale = (np.abs(weight).max(axis=1) / 127).astype(np.float32)
        weight_scale[weight_scale == 0] = 1
        codes = np.rint(weight / weight_scale[:, None]).astype(np.int8)
        sum_scale = np.float32(scale) * weight_scale
        real_bias = bias + offset * (codes * weight_scale[:, None].astype(np.float64)).sum(axis=1)
        inputs = [
            value, constant(f"a_scale{i}", np.float32(scale)), constant(f"a_zero{i}", np.uint8(zero_point)),
            constant(f"w{i}", codes), constant(f"w_scale{i}", weight_scale),
            constant(f"w_zero{i}", np.zeros(len(weight_scale), np.int8)),
            constant(f"bias{i}", np.rint(real_bias / sum_scale).astype(np.int32))]
        value = "logits" if i + 1 == len(layers) else f"y{i}"
        if i + 1 < len(layers):
            inputs += [constant(f"y_scale{i}", np.float32(activations[i + 1][0])),
                       constant(f"y_zero{i}", np.uint8(activations[i + 1][1]))]
        nodes.append(helper.make_node("QGemm", inputs, [value], domain="com.microsoft", transB=1))

    columns = layers[0][0].shape[1], layers[-1][0].shape[0]
    graph = helper.make_graph(
        nodes, "qgemm", [helper.make_tensor_value_info("input", TensorProto.UINT8, ["n", columns[0]])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", columns[1]])], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), out_path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
