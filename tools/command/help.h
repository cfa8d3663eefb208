// SPDX-License-Identifier: Apache-2.0
// What --help says below the options, command by command.
#pragma once

namespace octet::command {

inline constexpr const char* kHelp = R"(Start here:
  octet convert mnist_mlp.onnx -o mnist_mlp.octet --calibrate mnist --normalize 0.1307,0.3081
  octet eval mnist_mlp.octet --data mnist --float mnist_mlp.onnx
  octet bench mnist_mlp.octet --batch 256

DATA is a folder with MNIST's four IDX files, plain or .gz (convert reads the train half, eval the
t10k half), or numpy files: X.npy, or X.npy,LABELS.npy for eval. uint8 data are pixels, which enter
as (p / 255 - MEAN) / STD; float data are the network's own values.

OCTET_ISA=NAME forces one kernel table; octet cpu lists them. `octet COMMAND --help` tells more.
Exit status: 0 done, 1 error (one message on stderr), 2 wrong usage.)";

inline constexpr const char* kConvertHelp =
    R"(Calibration runs the first --samples samples in float and notes the range of every activation. DATA
is a folder with MNIST's IDX files (the train half is read; never calibrate on what you evaluate) or
X.npy; a network with several inputs takes one .npy per input, joined by commas. uint8 data are
pixels, which enter the network as (p / 255 - MEAN) / STD; float data are its own values.

--calibration tells where the range of an activation ends: minmax at its outermost values; percentile
where few lie beyond; mse where rounding and clipping change the values least; entropy where they
change their distribution least; auto tries all four, one activation at a time, and keeps what
changes the outputs least on samples that the range was not made from. A range that clips gives the
other values finer steps.

--equalize repairs layers whose neurons differ much in scale, where 8 bits cannot hold the small ones
beside the large ones: a neuron is divided, and the weights that read it multiplied, by a power of
two. The float network stays the same to the last bit. It is kept where the first output's SQNR rises.

--auto tries what can be repaired, one step after the other, and keeps each step that raises the SQNR
of the first output on the calibration samples: equalization, --calibration auto, weight scales that
clip outliers, and bias correction, which takes off what rounding adds on average. With --max-drop P
linear layers then stay in float, those first whose float form alone brings most, until no more than
P points of accuracy are lost (by the labels in DATA; without labels, P percent of the answers).
--keep-float NODE,... names layers that stay in float in any case.

--mode dynamic quantizes weights, and activations as they come: every row of a linear layer's input by
its own range. It needs no DATA, costs less accuracy and more time; activations between layers stay
in float.

--mode weight-only quantizes weights alone, of linear layers, to 8 or 4 bits (--weight-bits): the file
is smaller, activations stay in float. --group-size inputs share a scale: by default 32 of 4 bits,
all inputs of 8. It needs no DATA; with DATA it says what it cost.

--strict refuses to write a model in which a node computes in float, and names those nodes.

A network that is quantized already (QuantizeLinear and DequantizeLinear, QLinearMatMul, QGemm,
QLinearAdd, MatMulInteger, DynamicQuantizeLinear, DynamicQuantizeMatMul) keeps its own scales: it
takes no data and none of the options about ranges. Where ONNX quantizes a whole batch by one range,
octet takes each sample's own, so that no answer depends on what else is in the batch.

With --normalize the model takes uint8 pixels, which is exact and fast: the app does no float work.
Without it the model takes float32 values, pixels as p / 255.

Examples:
  octet convert mnist_mlp.onnx -o mnist_mlp.octet --calibrate mnist --normalize 0.1307,0.3081
  octet convert net.onnx -o net.octet --calibrate x.npy --samples 500
  octet convert net.onnx -o net.octet --calibrate x.npy --auto --max-drop 0.1
  octet convert net.onnx -o net.octet --mode weight-only --weight-bits 4
  octet convert quantized.onnx -o net.octet)";

inline constexpr const char* kEvalHelp =
    R"(DATA is a folder with MNIST's IDX files (the t10k half is read) or X.npy,LABELS.npy. The arg-max of
the first output is the answer; intervals are Wilson's at 95 %. An .onnx runs in float32.

With --float also: how often both networks give the same answer, McNemar's exact p (small: one is
really better than the other), the ratio of the float logits to the difference (SQNR, in dB), and
the largest difference of a logit.

Examples:
  octet eval mnist_mlp.octet --data mnist --float mnist_mlp.onnx
  octet eval mnist_mlp.onnx --data mnist --normalize 0.1307,0.3081
  octet eval net.octet --data x.npy,labels.npy --json)";

inline constexpr const char* kRunHelp =
    R"(The first dimension of every array is the samples, as many as you like; the other dimensions need
only hold as many elements as the network's input. uint8 arrays are pixels: a model converted with
--normalize takes them as they are, a float32 input gets p / 255. float32 arrays are the network's
own values: a model converted with --normalize turns them back into pixels, (x * STD + MEAN) * 255,
rounded and clamped.

Without NAME= the arrays belong to the inputs and outputs in the network's order; octet info lists
them.

Examples:
  octet run mnist_mlp.octet --input x.npy --output logits.npy
  octet run net.onnx --input left=a.npy --input right=b.npy --output sum=c.npy)";

inline constexpr const char* kBenchHelp =
    R"(Runs the model on pseudo-random inputs for about a second, after a warm-up. The 99th percentile is
of single calls. The median is of single calls too, less what reading the clock takes, unless calls
are shorter than 20 us: then it is of the means of groups that last 50 us. images/s is the batch
divided by the median; GOPS counts a multiply-add as two operations.

--beside times a second model and the first in up to 201 turns of 2 ms each. On a machine that others
use, compare only such figures.

--kernels takes no model: it times one layer, the median of 7 rounds by CPU time in which the tables
take turns. % of peak is the share of what the table does on registers alone, in the same turns.

Examples:
  octet bench mnist_mlp.octet
  octet bench mnist_mlp.octet --batch 256 --threads 2
  octet bench mnist_mlp.octet --isa scalar --json
  octet bench mnist_mlp.octet --beside other.octet
  octet bench --kernels 16,100,784)";

inline constexpr const char* kInfoHelp =
    R"(Of an .octet file: what made it, inputs, outputs, and per node the output's type, shape, scale and
zero point, its parameters, how far its sums can go at most (of what int32 holds), the kernel that runs
it here, and if it computes in float, why. Of an .onnx file: the graph as
imported and as simplified for conversion.

Examples:
  octet info mnist_mlp.octet
  octet info mnist_mlp.onnx
  octet info mnist_mlp.octet --json)";

inline constexpr const char* kCompareHelp =
    R"(Runs both networks on DATA and compares every node's values. For each: what the codes can say, how
many of them occur (used), how many values of the float network lie beyond (clipped), codes on a side
of zero that no value reaches (wasted), the ratio of the float values to the difference (SQNR) and the
cosine between them, both with all errors before; what is left of the first output, in dB and in
changed answers, where this node alone computes in int8 (alone), and where it alone stays in float
(left out: what --keep-float would bring); and the largest accumulator that any input could bring
about, as part of what int32 holds. Then the answers that changed, those first of
which the float network was least sure.

--html writes one page with histograms, the network and the same tables; it needs no other file.

Examples:
  octet compare mnist_mlp.octet mnist_mlp.onnx --data mnist
  octet compare net.octet net.onnx --data x.npy --html report.html)";

inline constexpr const char* kSizeHelp =
    R"(The rule of thumb is M = P * 4 bytes / (32 / Q) * overhead, with 1.2 for what a program needs beside
the weights. The lines below it count to the byte. GB are of 1e9 bytes.

Examples:
  octet size mnist_mlp.octet
  octet size mnist_mlp.onnx --bits 8
  octet size --params 70e9 --bits 4 --group-size 32)";

inline constexpr const char* kEmbedHelp =
    R"(FILE.o is an ELF object for Linux whose read-only data are the model, checked before. Link it into the
program, and hand the constant that FILE.h declares to octet_model_parse or octet::Model::parse. The
weights are read from there once, while the model is parsed.

Examples:
  octet embed mnist_mlp.octet -o mnist_mlp.o --header mnist_mlp.h
  octet embed net.octet -o arm/net.o --machine aarch64 --name digits)";

inline constexpr const char* kVerifyHelp =
    R"(Runs the same samples on every kernel table that this CPU supports, with 1 to 4 threads (and as many
as there are CPUs), and with the batch whole, one by one, in sevens, and in growing pieces. The hash
is the SHA-256 of all output bytes, output after output. The last line says `all equal: HASH`, or
the exit status is 1 and a message tells the first place where two variants part.

Inputs come from SplitMix64, seeded with the input's index, its 64-bit numbers taken little-endian:
bytes are 8-bit codes; for float32 inputs each 16 bits h are (h - 16384) / 32768. So the hash of a
model is the same on every machine.

Examples:
  octet verify mnist_mlp.octet
  octet verify mnist_mlp.octet --data mnist --limit 1000)";

inline constexpr const char* kCpuHelp =
    R"(--peak measures, on one core, what bounds a layer: how many multiply-adds (each two operations) a
table's innermost instructions do on registers alone, and how fast the caches and the memory are
read. The best of several rounds, by CPU time. scalar has no such figure: what a compiler makes of
plain loops has no fixed instructions.

Examples:
  octet cpu
  octet cpu --peak
  OCTET_ISA=scalar octet cpu    what a forced table looks like
  octet cpu --json)";

}  // namespace octet::command
