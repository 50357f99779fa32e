// The worker that computes. It holds the engine's objects by number, and answers one message with another; a call on a watcher is answered
// while a model trains.
import init, * as engine from './engine/shadegrad_web.js';

/** Milliseconds that training goes on at a time where the browser cannot suspend it. */
const TURN = 100;

const canWait = typeof WebAssembly.Suspending === 'function';
if (!canWait) {
  // Nothing is suspended then: the engine finds no adapter, and the CPU executor waits for nothing.
  WebAssembly.Suspending = class {
    static missing = true;
    constructor(call) { return call; }
  };
  WebAssembly.promising = call => call;
  WebAssembly.JSTag ??= new WebAssembly.Tag({ parameters: ['externref'] });
}

const objects = new Map();
let last = 0;

/** Keeps an object, and gives its number. */
function keep(object) {
  objects.set(++last, object);
  return last;
}

/** A promise that is kept once the messages that are there have been heard. */
function breathe() {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(0);
  });
}

/** The most pixels of a picture: 200 MB while it is read. */
const MOST_PIXELS = 50e6;

/** The pixels of a picture in any format that the browser reads, upright, colours as they are. */
async function pixels(blob) {
  const options = { imageOrientation: 'from-image', premultiplyAlpha: 'none', colorSpaceConversion: 'none' };
  const bitmap = await createImageBitmap(blob, options);
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    throw new Error(`it has ${bitmap.width} by ${bitmap.height} pixels; at most ${MOST_PIXELS / 1e6} million are taken`);
  }
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height);
}

/** Of trainers, by their numbers: whether they were told to pause. */
const paused = new Map();

/** What a trainer tells, as messages. Steps are gathered, so that the page has not one message for each. */
class Listener {
  #steps = [];
  #sent = 0;
  #until = Infinity;

  constructor(number, isFirst) {
    this.number = number;
    this.isFirst = isFirst;
  }

  #tell(event, value) { postMessage({ event, from: this.number, value }); }

  send() {
    if (this.#steps.length > 0) this.#tell('steps', this.#steps);
    this.#steps = [];
    this.#sent = performance.now();
  }

  begin(epochs, stepsPerEpoch, steps, done) { if (this.isFirst) this.#tell('begin', { epochs, stepsPerEpoch, steps, done }); }

  step(step, epoch, loss, correct, samples) {
    this.#steps.push({ step, epoch, loss, correct, samples });
    // From the first step on, so that each turn takes one at least.
    if (!canWait && this.#until === Infinity) this.#until = performance.now() + TURN;
    if (performance.now() - this.#sent > 50) this.send();
  }

  epoch(record) { this.send(); this.#tell('epoch', JSON.parse(record)); }

  snapshot(step) { this.send(); this.#tell('snapshot', step); }

  interrupted() { return paused.get(this.number) === true || performance.now() > this.#until; }

  breathe() { return canWait ? breathe() : undefined; }
}

/** Trains until it ends or is paused. */
async function train(number) {
  paused.set(number, false);
  for (let isFirst = true; ; isFirst = false) {
    const listener = new Listener(number, isFirst);
    let ended;
    try {
      ended = JSON.parse(await objects.get(number).train(listener));
    } finally {
      listener.send();
    }
    const over = ended.stopped?.reason !== 'interrupted' || paused.get(number);
    if (over) return ended;
    await breathe();
  }
}

/** Describes an object for the page. */
function about(object) {
  if (object instanceof engine.Adapter) return { title: object.title, kind: object.kind, isGpu: object.isGpu };
  if (object instanceof engine.DataSet) return { samples: [...object.samples], shape: [...object.shape], classNames: object.classNames };
  return {};
}

const made = object => ({ number: keep(object), ...about(object) });

const calls = {
  async open(choice) { return made(await engine.open(choice)); },
  tutorialModel() { return engine.tutorialModel(); },
  dataFromIdx(name, files, classNames) { return made(engine.DataSet.fromIdx(name, ...files, classNames)); },
  async dataFromPictures(name, files, { size = 64, channels = 3, seed = 0 }, from) {
    const pictures = new engine.Pictures(files.map(([path]) => path), size, channels);
    const broken = [];
    for (const [at, [path, blob]] of files.entries()) {
      try {
        if (!pictures.hasPlace(at)) throw new Error('it lies beside the folders of classes');
        const { data, width } = await pixels(blob);
        pictures.add(at, new Uint8Array(data.buffer), width);
      } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) throw error;
        broken.push([path, String(error?.message ?? error)]);
      }
      if (at % 16 === 0) postMessage({ event: 'picture', from, value: at });
    }
    return { ...made(pictures.finish(name, seed)), broken };
  },
  pictureModel(data) { return objects.get(data).pictureModel(); },
  async fitted(number, blob) {
    const { data, width } = await pixels(blob);
    return objects.get(number).fitted(new Uint8Array(data.buffer), width);
  },
  async drawingOf(number, blob) {
    const { data, width } = await pixels(blob);
    return objects.get(number).drawing(new Uint8Array(data.buffer), width);
  },
  testSample(data, number) {
    const set = objects.get(data);
    return { image: set.testImage(number), label: set.testLabel(number) };
  },
  trainer(adapter, model, data, choices) {
    return withWatcher(new engine.Trainer(objects.get(adapter), model, objects.get(data), JSON.stringify(choices)));
  },
  trainerFromFiles(adapter, data, files) {
    return withWatcher(engine.Trainer.fromFiles(objects.get(adapter), objects.get(data), files));
  },
  train,
  pause(number) { paused.set(number, true); },
  async evaluate(number, most) { return JSON.parse(await objects.get(number).evaluate(most)); },
  watcherFromRun(model, weights) { return made(new engine.Watcher(model, weights)); },
  shape(number) { return [...objects.get(number).shape]; },
  classNames(number) { return objects.get(number).classNames; },
  predict(number, samples) { return objects.get(number).predict(samples); },
  drawing(number, rgba, width) { return objects.get(number).drawing(rgba, width); },
  tensor(number, name) { return objects.get(number).tensor(name); },
  tensors(number) { return JSON.parse(objects.get(number).tensors()); },
  files(number) { return objects.get(number).files(); },
  weights(number) { return objects.get(number).weights(); },
  onnx(number) { return objects.get(number).onnx(); },
  report(watcher, data) { return objects.get(watcher).report(objects.get(data)); },
  /** Numbers of test samples that it takes for another class, of the first ones, and what it takes them for. */
  async mistakes(watcher, data, looked) {
    const set = objects.get(data);
    const wrong = [];
    for (let first = 0; first < looked; first += 100) {
      const numbers = Array.from({ length: Math.min(100, looked - first) }, (_, at) => first + at);
      const images = numbers.map(number => set.testImage(number));
      const together = new Uint8Array(images.reduce((sum, image) => sum + image.length, 0));
      images.forEach((image, at) => together.set(image, at * image.length));
      const all = objects.get(watcher).predict(together);
      const classes = all.length / numbers.length;
      numbers.forEach((number, at) => {
        const shares = all.subarray(at * classes, (at + 1) * classes);
        const [label, said] = [set.testLabel(number), shares.indexOf(Math.max(...shares))];
        if (said !== label) wrong.push({ number, label, said });
      });
      await breathe();
    }
    return wrong;
  },
  fail(adapter, failure) { objects.get(adapter).fail(failure); },
  /** Bytes of the engine's memory, which never shrinks. */
  async memory() { return (await ready).memory.buffer.byteLength; },
  texts() { return JSON.parse(engine.texts()); },
  kernels(adapter, model) { return JSON.parse(engine.kernels(objects.get(adapter), model)); },
  async verify(adapter, kind, from) {
    const tell = row => postMessage({ event: 'row', from, value: JSON.parse(row) });
    return JSON.parse(await engine.verify(objects.get(adapter), kind, tell));
  },
  async verifyEdited(adapter, file, text, from) {
    const tell = row => postMessage({ event: 'row', from, value: JSON.parse(row) });
    return JSON.parse(await engine.verifyEdited(objects.get(adapter), file, text, tell));
  },
  free(number) {
    objects.get(number)?.free();
    objects.delete(number);
    paused.delete(number);
  },
};

function withWatcher(trainer) {
  const { number } = made(trainer);
  return { number, watcher: made(trainer.watcher()) };
}

const ready = init({ module_or_path: new URL('./engine/shadegrad_web_bg.wasm', import.meta.url) });
ready.then(() => postMessage({ event: 'ready', value: { canWait } }),
  error => postMessage({ event: 'ready', error: String(error?.message ?? error) }));

onmessage = async ({ data: { id, call, args } }) => {
  try {
    await ready;
    postMessage({ id, value: await calls[call](...args) });
  } catch (error) {
    // A panic ends the engine: its memory may be half changed.
    const ended = error instanceof WebAssembly.RuntimeError;
    postMessage({ id, error: String(error?.message ?? error), ended });
  }
};
