#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Quantized forms of models/mnist_mlp.onnx, and MNIST's test images as their input.

    tests/quantized/make.py MNIST_FOLDER OUT_FOLDER

Writes OUT_FOLDER/FORM_WEIGHTS_TYPE.onnx for every FORM (qlinear: QLinearMatMul and QLinearAdd, qgemm, qdq), WEIGHTS
(tensor, channel) and TYPE (u8, s8: of the activations), dynamic_WEIGHTS_TYPE.onnx (DynamicQuantizeLinear and
MatMulInteger as ONNX Runtime's quantize_dynamic writes them; TYPE is that of the weights), and x.npy. The ranges of the activations are written down below,
so that the files depend on nothing but this script. Needs Debian's python3-onnx and python3-numpy."""
import gzip
import os
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

# Of the first 1000 training images, widened a little.
RANGES = {"input": (-0.4242, 2.8215), "fc1": (0, 16.3), "fc2": (0, 7.8), "logits": (-24.8, 11.4),
          "fc1_product": (-17.6, 16.2), "fc2_product": (-9.8, 7.8), "logits_product": (-24.8, 11.4)}


def activation(name, dtype):
    """Scale and zero point of an activation as float32 and dtype."""
    low, high = RANGES[name]
    scale = numpy.float32((high - low) / 255)
    zero = round(-low / float(scale)) - (128 if dtype == numpy.int8 else 0)
    return scale, dtype(zero)


def weights(array, per_channel):
    """int8 in [-127, 127] by rows, with the scales."""
    largest = numpy.abs(array).max(axis=1) if per_channel else numpy.abs(array).max()
    scale = (largest / numpy.float32(127)).astype(numpy.float32)
    codes = numpy.clip(numpy.rint(array / (scale[:, None] if per_channel else scale)), -127, 127)
    return codes.astype(numpy.int8), scale


class Writer:
    def __init__(self, source, per_channel, dtype):
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in source.graph.initializer}
        self.per_channel, self.dtype = per_channel, dtype
        self.nodes, self.initializers, self.known = [], [], set()

    def constant(self, name, array):
        if name not in self.known:
            self.known.add(name)
            self.initializers.append(numpy_helper.from_array(numpy.asarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        domain = "com.microsoft" if op in ("QGemm", "QLinearAdd") else ""
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def quantization(self, name):
        scale, zero = activation(name, self.dtype)
        return [self.constant(name + "_scale", scale), self.constant(name + "_zero", zero)]

    def weight(self, layer, transposed):
        codes, scale = weights(self.constants[layer + ".weight"], self.per_channel)
        zero = numpy.zeros(scale.shape, numpy.int8)
        return scale, [self.constant(layer + "_w", numpy.ascontiguousarray(codes.T) if transposed else codes),
                       self.constant(layer + "_w_scale", scale), self.constant(layer + "_w_zero", zero)]

    def bias(self, layer, source, scale):
        real = self.constants[layer + ".bias"].astype(numpy.float64)
        return numpy.rint(real / (activation(source, self.dtype)[0] * scale).astype(numpy.float64)).astype(numpy.int32)

    # Layers: codes named source_q (of qdq: floats named source_f) in, those of name out.
    def qlinear(self, layer, source, name):
        _, weight = self.weight(layer, True)
        product = self.quantization(name + "_product")
        self.node("QLinearMatMul", [source + "_q", *self.quantization(source), *weight, *product], name + "_p")
        bias = self.constants[layer + ".bias"]
        scale = numpy.float32(numpy.abs(bias).max() / 127)
        codes = self.constant(layer + "_b", numpy.rint(bias / scale).astype(numpy.int8).astype(self.dtype)
                              if self.dtype == numpy.int8 else (numpy.rint(bias / scale) + 128).astype(numpy.uint8))
        zero = self.constant(layer + "_b_zero", self.dtype(0 if self.dtype == numpy.int8 else 128))
        self.node("QLinearAdd", [name + "_p", *product, codes, self.constant(layer + "_b_scale", scale), zero,
                                 *self.quantization(name)], name + "_q")

    def qgemm(self, layer, source, name):
        scale, weight = self.weight(layer, False)
        bias = self.constant(layer + "_b", self.bias(layer, source, scale))
        self.node("QGemm", [source + "_q", *self.quantization(source), *weight, bias, *self.quantization(name)],
                  name + "_q", transB=1)

    def qdq(self, layer, source, name):
        scale, weight = self.weight(layer, False)
        axis = {"axis": 0} if self.per_channel else {}
        self.node("DequantizeLinear", [source + "_q", *self.quantization(source)], source + "_f")
        self.node("DequantizeLinear", weight, layer + "_w_f", **axis)
        bias_scale = self.constant(layer + "_b_scale", (activation(source, self.dtype)[0] * scale).astype(numpy.float32))
        bias = self.constant(layer + "_b", self.bias(layer, source, scale))
        zero = self.constant(layer + "_b_zero", numpy.zeros(scale.shape, numpy.int32))
        self.node("DequantizeLinear", [bias, bias_scale, zero], layer + "_b_f", **axis)
        self.node("Gemm", [source + "_f", layer + "_w_f", layer + "_b_f"], name + "_y", transB=1)
        real = name + "_y" if name == "logits" else self.node("Relu", [name + "_y"], name + "_r")
        self.node("QuantizeLinear", [real, *self.quantization(name)], name + "_q")

    def dynamic(self, layer, source, name):
        scale, (codes, w_scale, zero) = self.weight(layer, True)
        if self.dtype == numpy.uint8:  # the same weights, 128 higher
            array = numpy_helper.to_array(self.initializers[-3])
            codes = self.constant(layer + "_w_u8", (array.astype(numpy.int16) + 128).astype(numpy.uint8))
            zero = self.constant(layer + "_w_zero_u8", numpy.full(scale.shape, 128, numpy.uint8))
        x = [source + "_x", source + "_x_scale", source + "_x_zero"]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [source + "_r"], x, name=source + "_quantize"))
        self.node("MatMulInteger", [x[0], codes, x[2], zero], name + "_sums")
        self.node("Cast", [name + "_sums"], name + "_float", to=TensorProto.FLOAT)
        self.node("Mul", [x[1], w_scale], name + "_scale")
        self.node("Mul", [name + "_float", name + "_scale"], name + "_product")
        bias = self.constant(layer + ".bias", self.constants[layer + ".bias"])
        real = self.node("Add", [name + "_product", bias], name if name == "logits" else name + "_y")
        if name != "logits":
            self.node("Relu", [real], name + "_r")

    def write_dynamic(self, path):
        """For one image: ONNX takes the range of the whole batch."""
        self.node("Identity", ["input"], "input_r")
        for layer, source, name in (("fc1", "input", "fc1"), ("fc2", "fc1", "fc2"), ("fc3", "fc2", "logits")):
            self.dynamic(layer, source, name)
        self.save("dynamic", path, 1)

    def write(self, form, path):
        self.node("QuantizeLinear", ["input", *self.quantization("input")], "input_q")
        for layer, source, name in (("fc1", "input", "fc1"), ("fc2", "fc1", "fc2"), ("fc3", "fc2", "logits")):
            getattr(self, form)(layer, source, name)
        self.node("DequantizeLinear", ["logits_q", *self.quantization("logits")], "logits")
        self.save(form, path, "N")

    def save(self, form, path, batch):
        graph = helper.make_graph(self.nodes, form,
                                  [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 784])],
                                  [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 10])],
                                  self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13),
                                                        helper.make_opsetid("com.microsoft", 1)])
        model.ir_version = 8
        onnx.save(model, path)


def images(folder):
    path = os.path.join(folder, "t10k-images-idx3-ubyte")
    data = open(path, "rb").read() if os.path.exists(path) else gzip.open(path + ".gz").read()
    pixels = numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, 784)
    return ((numpy.arange(256) / 255 - 0.1307) / 0.3081).astype(numpy.float32)[pixels]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    mnist, out = sys.argv[1:]
    source = onnx.load(os.path.join(os.path.dirname(__file__), "../../models/mnist_mlp.onnx"))
    os.makedirs(out, exist_ok=True)
    numpy.save(os.path.join(out, "x.npy"), images(mnist))
    for per_channel in (False, True):
        for dtype in (numpy.uint8, numpy.int8):
            kind = f"{'channel' if per_channel else 'tensor'}_{'u8' if dtype == numpy.uint8 else 's8'}.onnx"
            for form in ("qlinear", "qgemm", "qdq"):
                Writer(source, per_channel, dtype).write(form, os.path.join(out, f"{form}_{kind}"))
            Writer(source, per_channel, dtype).write_dynamic(os.path.join(out, f"dynamic_{kind}"))


main()
