// The page's engine beside TensorFlow.js 4.22 in one Chromium: seconds per 100 training steps of the tutorial's net at batch 64, medians of
// rounds by turns, and what has to be downloaded. TensorFlow.js computes no gradient of a convolution's filter in its wasm back end.
//
// scripts/build-web && npm ci --prefix benches/peers/web && node benches/peers/web/bench.mjs [ROUNDS]
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { browse, serve } from '../../../web/test/browser.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const rounds = Number(process.argv[2] ?? 3);
const WARM_UP = 5;
const STEPS = 20;
const modules = join(root, 'benches/peers/web/node_modules/@tensorflow');
const scripts = [join(modules, 'tfjs/dist/tf.min.js'), join(modules, 'tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js')];
const engine = ['index.js', 'worker.js', 'engine/shadegrad_web.js', 'engine/shadegrad_web_bg.wasm']
  .map(file => join(root, 'target/web/site/shadegrad', file));
const download = files => Math.round(files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0) / 1000);

/** Ours: milliseconds of a step. */
async function ours([choice, warmUp, steps]) {
  const { Engine } = await import('/shadegrad/index.js');
  const engine = await Engine.start();
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  const files = await Promise.all(names.map(async name => (await fetch(`/data/mnist/${name}-ubyte.gz`)).arrayBuffer()));
  const [adapter, data] = [await engine.open(choice), await engine.dataFromIdx('mnist', files)];
  const choices = { limit: 64 * (warmUp + steps), maxSteps: warmUp, snapshotSteps: 10_000 };
  const model = await engine.tutorialModel();
  const trainer = await engine.trainer({ adapter, data, model, choices });
  await trainer.train();
  const begun = performance.now();
  const again = await engine.trainer({ adapter, data, model, choices: { ...choices, maxSteps: warmUp } });
  await again.train();
  const short = performance.now() - begun;
  const middle = performance.now();
  const whole = await engine.trainer({ adapter, data, model, choices: { ...choices, maxSteps: warmUp + steps } });
  await whole.train();
  const long = performance.now() - middle;
  engine.stop();
  return (long - short) / steps;
}

/** Theirs: milliseconds of a step. */
async function theirs([backend, warmUp, steps]) {
  await tf.setBackend(backend);
  await tf.ready();
  const model = tf.sequential({ layers: [
    tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 64, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.rmsprop(0.001, 0.9, 0, 1e-7), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const batches = Array.from({ length: 4 }, () => [
    tf.randomUniform([64, 28, 28, 1]), tf.oneHot(tf.randomUniform([64], 0, 10, 'int32'), 10).toFloat(),
  ]);
  const run = async count => {
    for (let step = 0; step < count; step++) await model.trainOnBatch(...batches[step % 4]);
  };
  await run(warmUp);
  const begun = performance.now();
  await run(steps);
  const took = (performance.now() - begun) / steps;
  tf.disposeVariables();
  return took;
}

const rows = [
  ['Shadegrad, adapter', ours, 'gpu'],
  ['Shadegrad, processor', ours, 'cpu'],
  ['TensorFlow.js, webgpu', theirs, 'webgpu'],
  ['TensorFlow.js, webgl', theirs, 'webgl'],
  ['TensorFlow.js, cpu', theirs, 'cpu'],
];
const server = await serve(join(root, 'target/web/site'));
const found = new Map(rows.map(([name]) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const [name, act, choice] of rows) {
    // A browser of its own for each, so that none finds what another has left.
    const browser = await browse({ serviceWorkers: 'block' });
    const page = await browser.context.newPage();
    await page.goto(`${server.url}shadegrad/package.json`);
    try {
      if (act === theirs) for (const path of scripts) await page.addScriptTag({ path });
      found.get(name).push(await page.evaluate(act, [choice, WARM_UP, STEPS]));
    } catch (error) {
      console.error(`${name}: ${error.message.split('\n')[0]}`);
    }
    await browser.close();
  }
}
server.close();
console.log('| | s per 100 steps | least to most | download, kB (gzip) |\n|---|---|---|---|');
for (const [name, times] of found) {
  const sorted = times.map(time => time / 10).sort((a, b) => a - b);
  const size = name.startsWith('Shadegrad') ? download(engine) : download(name.includes('webgpu') ? scripts : scripts.slice(0, 1));
  const figure = time => time === undefined ? 'fails' : time.toFixed(1);
  console.log(`| ${name} | ${figure(sorted[sorted.length >> 1])} | ${figure(sorted[0])} to ${figure(sorted.at(-1))} | ${size} |`);
}
