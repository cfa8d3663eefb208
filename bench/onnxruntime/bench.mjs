// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime beside octet on one network, one thread each, in turns.
//   node bench.mjs OCTET MODEL.octet INT8.onnx FLOAT.onnx     (in a folder with onnxruntime-node)
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const ort = createRequire(process.cwd() + '/')('onnxruntime-node');
const [octet, model, int8, float32] = process.argv.slice(2);
const kRounds = 5;
const kSeconds = 0.5;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

// A network that does nothing, so that what a call from JavaScript costs is known: Identity, written by hand as
// protobuf (ModelProto: ir_version 8, opset 13, one node, [1] in and out).
function identity() {
  const field = (number, bytes) => [number << 3 | 2, bytes.length, ...bytes];
  const text = (number, value) => field(number, [...Buffer.from(value)]);
  const shape = field(2, field(1, [1 << 3, 1]));
  const value = (name) => [...text(1, name), ...field(2, field(1, [1 << 3, 1, ...shape]))];
  const node = [...text(1, 'x'), ...text(2, 'y'), ...text(4, 'Identity')];
  const graph = [...field(1, node), ...text(2, 'g'), ...field(11, value('x')), ...field(12, value('y'))];
  return Uint8Array.from([1 << 3, 8, ...field(8, [2 << 3, 13]), ...field(7, graph)]);
}

async function session(source) {
  const options = {intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all'};
  return ort.InferenceSession.create(source, options);
}

// The largest difference of a logit between octet and ONNX Runtime on the same pixels, beside the largest logit.
async function compare(pixels, batch, logits) {
  let header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${batch}, ${columns}), }`;
  header = header.padEnd(117) + '\n';  // 128 bytes with the ten before it
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  writeFileSync('x.npy', Buffer.concat([start, Buffer.from(header), pixels]));
  execFileSync(octet, ['run', model, '--input', 'x.npy', '--output', 'y.npy']);
  const file = readFileSync('y.npy');
  const data = file.subarray(10 + file.readUInt16LE(8));
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < logits.length; ++i) {
    difference = Math.max(difference, Math.abs(data.readFloatLE(4 * i) - logits[i]));
    largest = Math.max(largest, Math.abs(logits[i]));
  }
  return [difference, largest];
}

// Microseconds per call, for about kSeconds.
async function time(run) {
  for (let i = 0; i < 20; ++i) await run();
  const times = [];
  const begin = performance.now();
  while (performance.now() - begin < kSeconds * 1000) {
    const start = performance.now();
    for (let i = 0; i < 10; ++i) await run();
    times.push((performance.now() - start) * 100);
  }
  return median(times);
}

const nothing = await session(identity());
const one = {x: new ort.Tensor('float32', new Float32Array(1), [1])};
const quantized = await session(int8);
const original = await session(float32);
const columns = 784;

for (const batch of [1, 256]) {
  const pixels = Uint8Array.from({length: batch * columns}, (_, i) => (i * 2654435761) >>> 24);
  const codes = {input: new ort.Tensor('uint8', pixels, [batch, columns])};
  const reals = {input: new ort.Tensor('float32', Float32Array.from(pixels, (p) => p / 255), [batch, columns])};
  const logits = (await quantized.run(codes)).logits.data;
  const [difference, largest] = await compare(pixels, batch, logits);
  const results = {octet: [], int8: [], fp32: [], call: []};
  for (let round = 0; round < kRounds; ++round) {
    const text = execFileSync(octet, ['bench', model, '--batch', String(batch), '--json'], {encoding: 'utf8'});
    results.octet.push(JSON.parse(text).latency_us_median);
    results.call.push(await time(() => nothing.run(one)));
    results.int8.push(await time(() => quantized.run(codes)));
    results.fp32.push(await time(() => original.run(reals)));
  }
  const us = Object.fromEntries(Object.entries(results).map(([name, values]) => [name, median(values)]));
  const line = (name, value) => console.log(
      `${name.padEnd(34)} ${value.toFixed(2).padStart(10)} us ${(1e6 * batch / value).toFixed(0).padStart(10)} images/s` +
      `  ${(value / us.octet).toFixed(2)} x octet`);
  console.log(`batch ${batch}, medians of ${kRounds} rounds; logits up to ${largest.toFixed(2)} differ by ` +
              `${difference.toExponential(1)} at most`);
  line('octet int8', us.octet);
  line('ONNX Runtime int8', us.int8);
  line('ONNX Runtime int8, less the call', us.int8 - us.call);
  line('ONNX Runtime fp32', us.fp32);
  line('ONNX Runtime fp32, less the call', us.fp32 - us.call);
  console.log(`${'a call that does nothing'.padEnd(34)} ${us.call.toFixed(2).padStart(10)} us`);
}
