// The page: what is chosen, what is shown. Everything computes in the engine's worker.
import { Engine } from './shadegrad/index.js';
import { Chart } from './chart.js';
import { ask, chosen, listData, listen, readData, readModel, takeModelOfRun } from './choices.js';
import { Pad, showFilters, showImage } from './images.js';
import { edited, judge, listKernels, report, showJudge, undo, verify } from './shaders.js';
import { $, changed, count, held, isBusy, say, whenChanged } from './state.js';
import { unzipSync, zipSync } from './vendor/fflate.js';

/** Test images that are looked at for mistakes, and the most that are shown. */
const LOOKED_AT = 400;
const MOST_MISTAKES = 12;
/** Milliseconds between two looks at the weights, and between two copies of the run. */
const LOOK_EVERY = 400;
const KEPT_EVERY = 3000;
/** The files of the run at its last snapshot: what is gone on with where an adapter is lost. */
let kept = null;
let keptAt = -Infinity;
const chart = new Chart($('curves'));
const pad = new Pad($('pad'), () => answer().catch(error => say('says-line', error.message)));

function notice(text) {
  $('notice').hidden = !text;
  say('notice', text);
}

/** Sets what is going on, and shows what can be done. */
function enter(next) {
  held.phase = next;
  changed();
}

function show() {
  const busy = isBusy();
  const ready = held.adapter !== null;
  $('start').disabled = busy || !ready;
  $('start').textContent = held.phase === 'idle' ? 'Start' : 'Start anew';
  $('pause').disabled = held.working || !(held.phase === 'training' || held.phase === 'paused');
  $('pause').textContent = held.phase === 'paused' ? 'Go on' : 'Pause';
  $('stop').disabled = held.working || !['training', 'pausing', 'paused'].includes(held.phase);
  $('load-run').disabled = busy || !ready;
  $('verify').disabled = busy || !held.adapter?.isGpu;
  for (const id of ['save-run', 'save-weights', 'save-onnx']) $(id).disabled = held.trainer === null;
  for (const id of ['network', 'data', 'epochs', 'limit', 'seed']) $(id).disabled = busy;
  $('limit').disabled ||= chosen.data === 'pictures';
  // A run that is paused goes on where it was begun.
  $('device').disabled = busy || held.phase === 'paused';
  $('save-report').disabled = busy || held.trainer === null;
  for (const id of ['sample', 'picture']) $(id).disabled = held.trainer === null;
  showJudge();
}

/** Does something that may fail, and says so where it does. */
async function attempt(act, line = 'status') {
  try {
    notice('');
    return await act();
  } catch (error) {
    notice(error.message);
    say(line, '');
    try {
      if (error.ended) {
        await begin();
        notice(`${error.message}. The engine had ended, and was started again.`);
      } else if (isLost(error)) {
        await openAdapter();
      }
    } catch (again) {
      notice(`${again.message}. Reload this page; a browser needs WebAssembly with exceptions, such as Chrome or Edge from 137 on.`);
    }
    changed();
    return undefined;
  }
}

/** Does what trains; where it fails, the run is over. */
function run(act) {
  return attempt(async () => {
    try {
      await act();
    } catch (error) {
      held.phase = held.trainer ? 'over' : 'idle';
      throw error;
    }
  });
}

/** Says how things stand, also to those who do not look. */
function announce(text) {
  say('status', text);
  say('announced', text);
}

/** Whether an error is that of an adapter that is gone. */
function isLost(error) {
  return /\blost\b|does not answer/.test(error.message);
}

let settled = Promise.resolve();

/** Does what a choice asks for, once what was chosen before is done. */
function choose(act) {
  settled = settled.then(() => attempt(act)).then(changed);
  return settled;
}

async function begin() {
  Object.assign(held, { engine: null, adapter: null, data: null, dataName: null, trainer: null });
  held.phase = 'idle';
  held.engine = await Engine.start();
  await listData();
  if (!held.engine.canWait) {
    $('device').value = 'cpu';
  }
  await openAdapter();
}

async function openAdapter() {
  const before = held.adapter;
  held.adapter = null;
  changed();
  const choice = $('device').value;
  await before?.free();
  held.adapter = await held.engine.open(choice);
  const name = held.adapter.isGpu ? `${held.adapter.title} (${held.adapter.kind})` : 'the processor, on one thread';
  const why = held.adapter.isGpu ? ''
    : !held.engine.canWait ? ': this browser cannot suspend WebAssembly (it has no JSPI), so its GPU is out of reach; Chrome and Edge from 137 on can'
    : choice === 'auto' ? ': the browser shows no hardware GPU' : '';
  say('device-line', `Computes on ${name}${why}`);
  say('verify-line', held.adapter.isGpu ? '' : 'The processor computes by the twins themselves; choose the browser\'s adapter above to verify it');
  await readModel();
  await listKernels();
}

async function start() {
  await settled;
  $('progress').value = 0;
  const data = await readData();
  await readModel();
  const choices = {
    seed: Number($('seed').value), epochs: Number($('epochs').value),
    // Pictures are in the order of their classes: fewer of them would be fewer classes.
    limit: chosen.data === 'pictures' ? data.samples.train : Math.min(Number($('limit').value), data.samples.train),
    snapshotSteps: 20,
    profile: $('profile').checked, fitCycle: chosen.network === 'pictures',
  };
  await take(await held.engine.trainer({ adapter: held.adapter, data, model: held.model, choices }), data);
  chart.clear(1);
  await train();
}

/** Takes a trainer in the place of the one before. */
async function take(trainer, data) {
  const before = held.trainer;
  held.trainer = Object.assign(trainer, { data });
  [kept, keptAt, answer.image] = [null, -Infinity, null];
  $('epochs-table').tBodies[0].replaceChildren();
  $('epochs-table').hidden = $('times').hidden = true;
  $('mistakes').replaceChildren();
  await before?.free();
  if (before && before.data !== data && before.data !== held.data) await before.data.free();
}

/** Trains until the run ends or is paused. */
async function train() {
  enter('training');
  announce('Training begins: compiling the kernels ...');
  const speed = new Speed();
  let plan = null;
  let [shown, lookedAt, looked] = [0, 0, Promise.resolve()];
  const listener = {
    begin(schedule) {
      plan = schedule;
      if (schedule.done === 0) chart.clear(schedule.steps);
      else chart.cut(schedule.done, schedule.steps);
      for (const row of [...$('epochs-table').tBodies[0].rows]) {
        if (Number(row.cells[0].textContent) > schedule.done / schedule.stepsPerEpoch) row.remove();
      }
    },
    steps(steps) {
      steps.forEach(step => chart.add(step));
      const { step, epoch } = steps.at(-1);
      speed.add(steps.reduce((sum, one) => sum + one.samples, 0));
      $('progress').value = step / plan.steps;
      if (performance.now() - shown < 500 && step < plan.steps) return;
      shown = performance.now();
      const rate = speed.rate;
      say('status', `Epoch ${epoch} of ${plan.epochs}, step ${count(step)} of ${count(plan.steps)}${rate ? `, ${count(rate)} images a second` : ''}`);
    },
    snapshot() {
      if (performance.now() - lookedAt < LOOK_EVERY) return;
      lookedAt = performance.now();
      looked = looked.then(look, look);
    },
    epoch(record) {
      addEpoch(record);
      looked = looked.then(showMistakes, showMistakes);
    },
  };
  let ended;
  try {
    ended = await held.trainer.train(listener);
  } catch (error) {
    return lost(error);
  }
  await looked.catch(() => undefined);
  if (ended.stopped?.reason === 'interrupted') {
    const isPaused = held.phase !== 'stopping';
    await look();
    announce(`${isPaused ? 'Paused' : 'Stopped'} after step ${count(ended.steps)}`);
    return enter(isPaused ? 'paused' : 'over');
  }
  enter('testing');
  await look();
  await showMistakes();
  showTimes(ended);
  say('status', 'Testing ...');
  const test = await held.trainer.evaluate();
  enter('over');
  const accuracy = test.accuracy === null ? '' : `Test accuracy ${(100 * test.accuracy).toFixed(2)} %, `;
  return announce(`Trained ${count(ended.steps)} steps. ${accuracy}test loss ${test.loss.toFixed(4)}`);
}

/** Adds a row to the table of epochs. */
function addEpoch({ epoch, loss, accuracy, seconds }) {
  const row = $('epochs-table').tBodies[0].insertRow();
  $('epochs-table').hidden = false;
  for (const cell of [epoch, loss?.toFixed(4) ?? '-', accuracy?.toFixed(4) ?? '-', seconds.toFixed(1)]) row.insertCell().textContent = cell;
}

/** The step of the snapshot that was gone on from last. */
let resumedAt = null;

/** Goes on from the last snapshot where an adapter was lost. */
async function lost(error) {
  const wanted = held.phase === 'training';
  enter('starting');
  const at = /checkpoints\/step-(\d+)/.exec(kept?.map(([path]) => path).join() ?? '')?.[1] ?? null;
  // Not again and again from one place.
  if (!isLost(error) || !at || at === resumedAt || !wanted) throw error;
  resumedAt = at;
  const [files, { data }] = [kept, held.trainer];
  await openAdapter();
  notice(`${error.message}. Training goes on from step ${count(Number(at))}, on a newly opened adapter.`);
  await take(await held.engine.trainerFromFiles({ adapter: held.adapter, data, files }), data);
  await train();
}

/** Shows the newest weights, and what they say of the drawing. */
async function look() {
  const { watcher } = held.trainer;
  if (performance.now() - keptAt > KEPT_EVERY) {
    kept = await watcher.files();
    keptAt = performance.now();
  }
  const first = (await watcher.tensors()).find(([, shape]) => shape.length === 4);
  $('filters').hidden = !first;
  say('filters-line', first ? 'Weights of the first convolution: dark below zero, bright above.' : 'This network has no convolution.');
  if (first) {
    const [name, shape] = first;
    showFilters($('filters'), await watcher.tensor(name), shape);
    $('filters').setAttribute('aria-label', `${shape[3]} filters of ${shape[0]} by ${shape[1]}, the weights ${name}`);
  }
  await answer();
}

/** Says what the network makes of the drawing. */
async function answer() {
  // One at a time: what is drawn meanwhile is looked at after it.
  if (answering) {
    askedAgain = true;
    return;
  }
  answering = true;
  try {
    do {
      askedAgain = false;
      await answerOnce();
    } while (askedAgain);
  } finally {
    answering = false;
  }
}

let [answering, askedAgain] = [false, false];

async function answerOnce() {
  if (!held.trainer) return say('says-line', 'Start training: it answers while it learns.');
  const { watcher } = held.trainer;
  const shape = await watcher.shape();
  const isDrawing = shape[2] === 1;
  const seen = answer.image ?? (isDrawing ? await watcher.drawing(pad.pixels) : []);
  if (seen.length === 0) {
    if (!isDrawing) say('says-line', 'This network looks at pictures in colours: show it one, or a test image.');
    return undefined;
  }
  showImage($('seen'), seen, shape);
  $('seen').setAttribute('aria-label', 'The drawing as the network sees it');
  const [names, shares] = [await watcher.classNames(), await watcher.predict(seen)];
  const best = shares.indexOf(Math.max(...shares));
  $('says').replaceChildren(...names.map((name, at) => {
    const row = document.createElement('li');
    row.classList.toggle('best', at === best);
    const [label, bar, share] = ['label', 'bar', 'share'].map(part => Object.assign(document.createElement('span'), { className: part }));
    label.textContent = name;
    bar.style.width = `${100 * shares[at]}%`;
    share.textContent = `${(100 * shares[at]).toFixed(1)} %`;
    row.append(label, bar, share);
    return row;
  }));
  say('says-line', `It says ${names[best]}, with ${(100 * shares[best]).toFixed(1)} %`);
  return undefined;
}

async function showMistakes() {
  const { watcher } = held.trainer;
  const [shape, names] = [await watcher.shape(), await watcher.classNames()];
  const { data } = held.trainer;
  const looked = Math.min(LOOKED_AT, data.samples.test);
  const wrong = await watcher.mistakes(data, looked);
  const figures = await Promise.all(wrong.slice(0, MOST_MISTAKES).map(async ({ number, label, said }) => {
    const figure = document.createElement('figure');
    const canvas = Object.assign(document.createElement('canvas'), { className: 'pixels' });
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Test image ${number}`);
    showImage(canvas, (await data.testSample(number)).image, shape);
    const caption = document.createElement('figcaption');
    caption.textContent = `${names[label]}, it says ${names[said]}`;
    figure.append(canvas, caption);
    return figure;
  }));
  const text = `${wrong.length} wrong of the first ${looked} test images`;
  const line = Object.assign(document.createElement('p'), { className: 'quiet line', textContent: text });
  $('mistakes').replaceChildren(line, ...figures);
}

/** Images a second, over the last seconds. */
class Speed {
  #seen = [[performance.now(), 0]];

  add(samples) {
    this.#seen.push([performance.now(), this.#seen.at(-1)[1] + samples]);
    while (this.#seen.length > 2 && this.#seen[1][0] < performance.now() - 3000) this.#seen.shift();
  }

  get rate() {
    const [[begun, before], [now, after]] = [this.#seen[0], this.#seen.at(-1)];
    return now - begun > 200 ? Math.round(1000 * (after - before) / (now - begun)) : 0;
  }
}

function showTimes({ clock, times }) {
  $('times').hidden = times.length === 0;
  const sum = times.reduce((sum, [, time]) => sum + time, 0);
  $('times').caption.textContent = `Median times by ${clock}; ${sum.toFixed(2)} ms in all`;
  $('times').tBodies[0].replaceChildren(...times.map(([name, time]) => {
    const row = document.createElement('tr');
    for (const text of [name, time.toFixed(3), `${(100 * time / sum).toFixed(1)} %`]) row.insertCell().textContent = text;
    return row;
  }));
}

function save(name, bytes, type = 'application/octet-stream') {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(new Blob([bytes], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function saveRun() {
  const files = Object.fromEntries(await held.trainer.watcher.files());
  save('run.zip', zipSync(Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`run/${path}`, bytes]))), 'application/zip');
  const { from } = held.trainer.data;
  say('keep-line', from === 'mnist' ? 'Saved. Unpack it, and `shadegrad train --resume --out run` goes on with it.'
    : from !== 'pictures' ? 'Saved. Unpack it, and `shadegrad train --resume --out run --data DIR` goes on with it; DIR has the four files.'
      : 'Saved. It goes on in this page with the same pictures; the program decodes them otherwise.');
}

/** Saves the page that the program's `report` makes of a run. */
async function saveReport() {
  const { watcher, data } = held.trainer;
  held.working = true;
  changed();
  try {
    say('keep-line', `Looking at ${count(data.samples.test)} test images ...`);
    save('report.html', await watcher.report(data), 'text/html');
    say('keep-line', 'Saved: curves, figures of each class, mistakes and what decided them, in one file');
  } finally {
    held.working = false;
    changed();
  }
}

/** Takes a saved run in the place of the one before. */
async function loadRun(file) {
  const before = held.phase;
  enter('starting');
  try {
    const files = Object.entries(unzipSync(new Uint8Array(await file.arrayBuffer()))).filter(([path]) => !path.endsWith('/'));
    const data = await readData();
    await take(await held.engine.trainerFromFiles({ adapter: held.adapter, data, files }), data);
  } catch (error) {
    enter(before);
    throw error;
  }
  const files = new Map(await held.trainer.watcher.files());
  const text = name => new TextDecoder().decode(files.get(name) ?? new Uint8Array());
  const lines = name => text(name).split('\n').filter(Boolean).map(line => JSON.parse(line));
  const steps = lines('steps.jsonl');
  chart.clear(Math.max(1, steps.length));
  steps.forEach(step => chart.add({ ...step, loss: step.loss ?? NaN, correct: step.correct ?? NaN, samples: step.n }));
  lines('history.jsonl').forEach(addEpoch);
  await takeModelOfRun(text('model.toml'));
  $('epochs').value = /^epochs = (\d+)/m.exec(held.model)?.[1] ?? $('epochs').value;
  await look();
  const isOver = files.has('result.json');
  $('progress').value = isOver ? 1 : 0;
  say('keep-line', isOver ? 'The run is loaded; it had come to its end' : 'The run is loaded; it can go on');
  announce(`${isOver ? 'Trained' : 'Paused after'} ${count(steps.length)} steps`);
  enter(isOver ? 'over' : 'paused');
}

$('settings').addEventListener('submit', event => {
  event.preventDefault();
  if (isBusy()) return;
  resumedAt = null;
  enter('starting');
  run(start);
});
$('pause').addEventListener('click', () => {
  if (held.phase === 'paused') return run(train);
  enter('pausing');
  return attempt(() => held.trainer.pause());
});
$('stop').addEventListener('click', () => attempt(async () => {
  if (held.phase === 'paused') {
    announce('Stopped');
    return enter('over');
  }
  enter('stopping');
  return held.trainer.pause();
}));
$('device').addEventListener('change', () => choose(openAdapter));
$('clear').addEventListener('click', () => {
  answer.image = null;
  pad.clear();
  $('says').replaceChildren();
  $('seen').getContext('2d').clearRect(0, 0, $('seen').width, $('seen').height);
  say('says-line', '');
});
$('pad').addEventListener('pointerdown', () => { answer.image = null; });
$('sample').addEventListener('click', () => attempt(async () => {
  const { data } = held.trainer;
  const { image, label } = await data.testSample(Math.floor(Math.random() * data.samples.test));
  answer.image = image;
  await answer();
  $('says-line').append(`; it is ${(await held.trainer.watcher.classNames())[label] ?? label}`);
}));
$('shader').addEventListener('input', edited);
$('undo').addEventListener('click', undo);
$('judge').addEventListener('click', () => attempt(judge, 'judge-line'));
$('picture').addEventListener('click', () => attempt(async () => {
  const [file] = await ask($('picture-file'));
  if (!file) return;
  const { watcher } = held.trainer;
  answer.image = (await watcher.shape())[2] === 1 ? await watcher.drawingOf(file) : await watcher.fitted(file);
  await answer();
}));
$('verify').addEventListener('click', () => attempt(verify, 'verify-line'));
$('copy').addEventListener('click', () => attempt(async () => {
  await navigator.clipboard.writeText(report);
  say('verify-line', 'The report is on the clipboard');
}, 'verify-line'));
$('save-run').addEventListener('click', () => attempt(saveRun, 'keep-line'));
$('save-weights').addEventListener('click', () => attempt(async () => save('weights.safetensors', await held.trainer.watcher.weights()), 'keep-line'));
$('save-report').addEventListener('click', () => attempt(saveReport, 'keep-line'));
$('save-onnx').addEventListener('click', () => attempt(async () => save('model.onnx', await held.trainer.watcher.onnx()), 'keep-line'));
$('load-run').addEventListener('click', () => attempt(async () => {
  const [file] = await ask($('run-file'));
  if (file) await loadRun(file);
}, 'keep-line'));

if ('serviceWorker' in navigator) navigator.serviceWorker.register('offline.js').catch(() => undefined);
whenChanged(show);
listen(choose);
choose(begin);

/** For tests: what the page holds. */
globalThis.shadegrad = held;
