#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Exports a PyTorch network, float, quantized or trained with fake quantization, as ONNX that octet reads. Copy it.

    from export_torch import export
    export(model, torch.zeros(1, 1, 28, 28), "net.onnx")        # then: octet convert net.onnx -o net.octet

What it does beyond torch.onnx.export: evaluation mode, observers off, the leading dimension dynamic; a fused Linear and
ReLU, which has no ONNX form, is parted again at the same scale; and it refuses what would export as something else than
the network that was trained. Written for PyTorch 1.13 and later."""
import copy

import torch
from torch import nn
from torch.ao import quantization
from torch.ao.nn import quantized as nnq

try:
    from torch.ao.nn.intrinsic import quantized as nniq
except ImportError:  # before PyTorch 1.13
    from torch.nn.intrinsic import quantized as nniq


class ExportError(Exception):
    """Names the module, what is wrong with it and what to do."""


def check_observers(model):
    """Refuses observers that never saw data, and observers without fake quantization, which export as a float network."""
    bare, empty = [], []
    for name, module in model.named_modules():
        if isinstance(module, quantization.FakeQuantizeBase):
            if torch.all(module.scale == 1) and torch.all(module.zero_point == 0):
                empty.append(name)
        elif isinstance(module, quantization.ObserverBase) and not any(
            name.startswith(parent + ".")
            for parent, other in model.named_modules()
            if isinstance(other, quantization.FakeQuantizeBase)
        ):
            bare.append(name)
    if bare:
        raise ExportError(
            f"{bare[0]} and {len(bare) - 1} more are observers without fake quantization, which would export as a float "
            "network: call torch.ao.quantization.convert on it first, or prepare_qat with "
            "get_default_qat_qconfig(backend, version=0) before training"
        )
    if empty:
        raise ExportError(
            f"{empty[0]} and {len(empty) - 1} more never saw data (scale 1, zero point 0): run training or calibration "
            "batches through the prepared network first"
        )
    for name, module in model.named_modules():
        if isinstance(module, (nnq.Linear, nnq.Quantize)) and float(module.scale) == 1 and int(module.zero_point) == 0:
            raise ExportError(
                f"{name} has scale 1 and zero point 0, so its observer never saw data: run calibration batches through "
                "the prepared network before convert"
            )


def part_fused(model):
    """Linear and ReLU in one, quantized -> the two of them: the same codes, since the scale is that behind the ReLU."""
    for name, module in model.named_children():
        if isinstance(module, nniq.LinearReLU):
            linear = nnq.Linear(module.in_features, module.out_features)
            linear.set_weight_bias(module.weight(), module.bias())
            linear.scale, linear.zero_point = module.scale, module.zero_point
            setattr(model, name, nn.Sequential(linear, nn.ReLU()))
        else:
            part_fused(module)


def export(model, example, path, opset=13):
    """Writes `path`. example: one input, [1, ...]. The file's tensors are `input` and `logits`, the batch is dynamic."""
    model = copy.deepcopy(model).eval()
    check_observers(model)
    part_fused(model)
    model.apply(quantization.disable_observer)
    torch.onnx.export(
        model,
        example,
        path,
        opset_version=opset,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
    )
