// SPDX-License-Identifier: Apache-2.0
// What an ONNX graph has beside its nodes: initializers, inputs, outputs.
#pragma once

#include <onnx/onnx.pb.h>

#include "tools/convert/onnx_builder.h"

namespace octet::convert {

// Declares and binds every initializer; its bytes are removed from graph.
void read_initializers(onnx::GraphProto& graph, GraphBuilder& builder);

// Declares and binds every input that is no initializer (before IR version 4 each initializer had
// to be an input too), and sets the exported batch. The leading dimension is the batch whatever its
// exported value; throws octet::Error (unsupported) if that cannot be.
void add_inputs(const onnx::GraphProto& graph, GraphBuilder& builder);

// All nodes are imported: the outputs, each a value with the output's own name.
void add_outputs(const onnx::GraphProto& graph, GraphBuilder& builder);

}  // namespace octet::convert
