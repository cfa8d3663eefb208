// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime's logits of quantized networks, as NumPy files.
// A model of one image runs once for each.
//   node onnxruntime.mjs PEER_FOLDER X.npy MODEL.onnx ...      writes MODEL.onnx.npy beside each
// PEER_FOLDER holds onnxruntime-node. Prints "MODEL.onnx LEVEL ..." for errors only.
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {resolve} from 'node:path';

const [peer, input, ...models] = process.argv.slice(2);
const ort = createRequire(resolve(peer) + '/')('onnxruntime-node');

const file = readFileSync(input);
const start = 10 + file.readUInt16LE(8);
const [rows, columns] = /\((\d+), (\d+)\)/.exec(file.toString('latin1', 10, start)).slice(1).map(Number);
const images = new Float32Array(file.buffer.slice(file.byteOffset + start));

for (const model of models) {
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, logSeverityLevel: 3});
  const step = model.includes('dynamic') ? 1 : rows;
  const results = [];
  for (let row = 0; row < rows; row += step) {
    const x = new ort.Tensor('float32', images.subarray(row * columns, (row + step) * columns), [step, columns]);
    const {logits} = await session.run({input: x});
    results.push(Buffer.from(new Float32Array(logits.data).buffer));
  }
  const logits = Buffer.concat(results);
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${logits.length / 4 / rows}), }`;
  header = header.padEnd(117) + '\n';  // 128 bytes with the ten before it
  const magic = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  writeFileSync(model + '.npy', Buffer.concat([magic, Buffer.from(header), logits]));
}
