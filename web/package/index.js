// Shadegrad for a page: everything computes in a worker, and nothing leaves the page.

/** What went wrong in the engine. `ended` is whether the engine is gone: start another. */
export class ShadegradError extends Error {
  constructor(message, ended = false) {
    super(message);
    this.name = 'ShadegradError';
    this.ended = ended;
  }
}

/** The engine in its worker. */
export class Engine {
  #worker;
  #calls = new Map();
  #listeners = new Map();
  #last = 0;
  #ended = null;

  /** Whether the browser can wait for an adapter (it has JSPI). Without, everything is computed by the CPU executor. */
  canWait = false;

  /** Starts an engine. */
  static async start() {
    const engine = new Engine();
    engine.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    engine.#worker.onmessage = ({ data }) => engine.#heard(data);
    await new Promise((resolve, reject) => {
      engine.#worker.onerror = event => {
        const error = new ShadegradError(event.message || 'the engine cannot be loaded', true);
        engine.#end(error);
        reject(error);
      };
      engine.#listeners.set('ready', (value, error) => {
        if (error) {
          const failure = new ShadegradError(`the engine cannot be loaded: ${error}`, true);
          engine.#end(failure);
          return reject(failure);
        }
        engine.canWait = value.canWait;
        return resolve();
      });
    });
    return engine;
  }

  /** Ends it and frees its memory. */
  stop() {
    this.#end(new ShadegradError('the engine was stopped', true));
  }

  /** Opens what computes: `gpu`, the browser's adapter; `cpu`; or `auto`, the adapter if it is hardware, else the CPU executor. */
  async open(choice = 'auto') {
    return new Adapter(this, await this.call('open', choice));
  }

  /** The text of the tutorial's model file. */
  tutorialModel() {
    return this.call('tutorialModel');
  }

  /** A data set from its four IDX files, plain or gzip: images and labels to train on, then those to test with; classes are called by their numbers, unless names are given. */
  async dataFromIdx(name, files, classNames = []) {
    return new DataSet(this, await this.call('dataFromIdx', name, files.map(file => new Uint8Array(file)), classNames));
  }

  /** A data set from pictures, pairs of a path and a blob: folders are classes, or sets with classes in them. Broken ones are left out. */
  async dataFromPictures(name, files, { onPicture, ...options } = {}) {
    const from = `pictures ${++this.#last}`;
    this.listen(from, (event, at) => onPicture?.(at));
    try {
      return new DataSet(this, await this.call('dataFromPictures', name, files, options, from));
    } finally {
      this.listen(from, null);
    }
  }

  /** A model in training. `model` is the text of a model file; for `choices` see the types. */
  async trainer({ adapter, model, data, choices = {} }) {
    return new Trainer(this, await this.call('trainer', adapter.number, model, data.number, choices));
  }

  /** A run that goes on, from the files of its folder: pairs of a path and bytes. */
  async trainerFromFiles({ adapter, data, files }) {
    return new Trainer(this, await this.call('trainerFromFiles', adapter.number, data.number, files));
  }

  /** A finished run, from the text of its `model.toml` and the bytes of its `weights.safetensors`. */
  async load(model, weights) {
    return new Watcher(this, await this.call('watcherFromRun', model, new Uint8Array(weights)));
  }

  /** Sends a call to the worker. */
  call(call, ...args) {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, args });
    });
  }

  /** Hears the events of an object. */
  listen(number, listener) {
    if (listener) this.#listeners.set(number, listener);
    else this.#listeners.delete(number);
  }

  #heard({ id, event, from, value, error, ended }) {
    if (event === 'ready') return this.#listeners.get('ready')?.(value, error);
    if (event) return this.#listeners.get(from)?.(event, value);
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) return call?.resolve(value);
    const failure = new ShadegradError(error, ended);
    call?.reject(failure);
    if (ended) this.#end(failure);
  }

  #end(error) {
    this.#ended ??= error;
    this.#worker?.terminate();
    for (const { reject } of this.#calls.values()) reject(this.#ended);
    this.#calls.clear();
  }
}

/** What computes. */
export class Adapter {
  constructor(engine, { number, title, kind, isGpu }) {
    Object.assign(this, { engine, number, title, kind, isGpu });
  }

  /** The steps of a training batch of a model file, and the kernels that run them. */
  kernels(model) {
    return this.engine.call('kernels', this.number, model);
  }

  /** Holds every kernel, or those of one kind, against its twin. */
  verify({ kind, onRow } = {}) {
    return this.#hearing(onRow, from => this.engine.call('verify', this.number, kind, from));
  }

  /** Holds the kernels of a shader file against their twins, with another text in it. */
  verifyEdited(file, text, { onRow } = {}) {
    return this.#hearing(onRow, from => this.engine.call('verifyEdited', this.number, file, text, from));
  }

  /** Closes it. */
  free() {
    return this.engine.call('free', this.number);
  }

  async #hearing(onRow, act) {
    const from = `rows ${++Adapter.#calls}`;
    this.engine.listen(from, (event, row) => event === 'row' && onRow?.(row));
    try {
      return await act(from);
    } finally {
      this.engine.listen(from, null);
    }
  }

  static #calls = 0;
}

/** Samples to train on and to test with. */
export class DataSet {
  constructor(engine, { number, samples, shape, classNames, broken = [] }) {
    Object.assign(this, { engine, number, shape, classNames, broken, samples: { train: samples[0], test: samples[1] } });
  }

  /** The model file for pictures, made for the shape and the classes of these. */
  pictureModel() {
    return this.engine.call('pictureModel', this.number);
  }

  /** A sample to test with: its bytes and its class. */
  testSample(number) {
    return this.engine.call('testSample', this.number, number);
  }

  free() {
    return this.engine.call('free', this.number);
  }
}

/** A run whose weights can be seen and used at any time, also while it trains. */
export class Watcher {
  constructor(engine, { number }) {
    Object.assign(this, { engine, number });
  }

  /** Height, width and channels of what the network sees. */
  shape() { return this.engine.call('shape', this.number); }

  classNames() { return this.engine.call('classNames', this.number); }

  /** What the network says of samples of bytes: a number for each class, one sample after another. */
  predict(samples) { return this.engine.call('predict', this.number, samples); }

  /** What the network sees of a drawing, given as the pixels of a canvas; empty where nothing is drawn. */
  drawing({ data, width }) { return this.engine.call('drawing', this.number, new Uint8Array(data.buffer), width); }

  /** What the network sees of a picture: scaled and cut to its shape. */
  fitted(blob) { return this.engine.call('fitted', this.number, blob); }

  /** What the network sees of a picture of a drawing, as {@link drawing}. */
  drawingOf(blob) { return this.engine.call('drawingOf', this.number, blob); }

  /** The values of a weight, such as `conv2d/kernel`. */
  tensor(name) { return this.engine.call('tensor', this.number, name); }

  /** The names and shapes of all weights. */
  tensors() { return this.engine.call('tensors', this.number); }

  /** Which of the first test samples of a data set it takes for another class: their numbers, classes, and what it says. */
  mistakes(data, looked) { return this.engine.call('mistakes', this.number, data.number, looked); }

  /** The files of the run's folder, as pairs of a path and bytes. */
  files() { return this.engine.call('files', this.number); }

  /** The weights as a safetensors file. */
  weights() { return this.engine.call('weights', this.number); }

  /** The page that `shadegrad report` makes of the run: HTML without any other file, with the samples of a data set to test with. */
  report(data) { return this.engine.call('report', this.number, data.number); }

  /** The model as an ONNX file. */
  onnx() { return this.engine.call('onnx', this.number); }

  free() { return this.engine.call('free', this.number); }
}

/** A model in training. */
export class Trainer {
  constructor(engine, { number, watcher }) {
    Object.assign(this, { engine, number, watcher: new Watcher(engine, watcher) });
  }

  /** Trains to the end or until [`pause`]; called again, it goes on. */
  async train(listener = {}) {
    this.engine.listen(this.number, (event, value) => listener[event]?.(value));
    try {
      return await this.engine.call('train', this.number);
    } finally {
      this.engine.listen(this.number, null);
    }
  }

  /** Has training stop after the batches in progress. */
  pause() { return this.engine.call('pause', this.number); }

  /** Loss and accuracy on the samples to test with, or on so many of them. */
  evaluate(most) { return this.engine.call('evaluate', this.number, most); }

  async free() {
    await this.watcher.free();
    await this.engine.call('free', this.number);
  }
}
