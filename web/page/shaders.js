// The shaders that train: read, changed, and held against their twins.
import { $, changed, count, held, isBusy, say } from './state.js';

/** What was changed of shaders, by their files. */
const edits = new Map();
/** The step whose shader is shown. */
let read = null;

/** Lists the kernels of the model on the adapter, and shows one. */
export async function listKernels() {
  const steps = await held.adapter.kernels(held.model);
  const select = $('step');
  const before = select.value;
  select.replaceChildren(...steps.map((step, at) => new Option(`${at + 1}. ${step.name}: ${step.kind} (${step.variant})`, step.name)));
  select.disabled = false;
  if (steps.some(step => step.name === before)) select.value = before;
  select.onchange = $('whole').onchange = () => showShader(steps.find(step => step.name === select.value));
  showShader(steps.find(step => step.name === select.value));
}

function showShader(step) {
  read = step;
  const whole = $('whole').checked;
  $('shader').value = whole ? step.text : edits.get(step.file) ?? step.source;
  $('shader').readOnly = whole;
  $('shader').setAttribute('aria-label', `shaders/${step.file}`);
  $('shader').scrollTop = 0;
  say('formula', formula(step.source));
  say('judge-line', `shaders/${step.file}${held.adapter.isGpu ? '' : '; to hold it against its twin, choose the browser\'s adapter above'}`);
  $('judge-failures').replaceChildren();
  showJudge();
}

/** What the first lines of a shader say: what it computes, and of what shapes. */
function formula(source) {
  const lines = source.split('\n');
  const end = lines.findIndex(line => line !== '' && !line.startsWith('//'));
  return lines.slice(0, end).filter(line => !line.startsWith('// import')).map(line => line.replace(/^\/\/ ?/, '')).join('\n').trim();
}

/** Shows whether a shader can be judged, and its changes undone. */
export function showJudge() {
  $('judge').disabled = isBusy() || !held.adapter?.isGpu || !read || $('whole').checked;
  $('undo').disabled = !read || !edits.has(read.file);
}

/** Counts rows while they come, and lists those that failed. */
function counting(line, list) {
  const failures = [];
  let [rows, shown] = [0, 0];
  $(list).replaceChildren();
  return {
    failures,
    onRow(row) {
      rows += 1;
      if (!row.passed) {
        failures.push(row);
        if (failures.length <= 20) $(list).append(Object.assign(document.createElement('li'), { textContent: `${row.kind} (${row.variant}), ${row.case}: ${row.problem}` }));
      }
      if (performance.now() - shown > 200) {
        shown = performance.now();
        say(line, `${count(rows)} comparisons, now ${row.kind}; ${failures.length} failed`);
      }
    },
  };
}

/** Holds the shader that is shown against its twin. */
export async function judge() {
  const { file } = read;
  const { onRow } = counting('judge-line', 'judge-failures');
  held.working = true;
  changed();
  try {
    const { rows, failed } = await held.adapter.verifyEdited(file, $('shader').value, { onRow });
    const verdict = failed === 0 ? 'it computes what its twin does' : `${count(failed)} do not agree with the twin`;
    say('judge-line', `shaders/${file}: ${count(rows)} comparisons, ${verdict}`);
  } finally {
    held.working = false;
    changed();
  }
}

/** What the last verification found, as JSON. */
export let report = '';

/** Holds every kernel against its twin. */
export async function verify() {
  const { failures, onRow } = counting('verify-line', 'failures');
  $('copy').disabled = true;
  const bar = $('verify-progress');
  bar.hidden = false;
  bar.removeAttribute('value');
  held.working = true;
  changed();
  try {
    const found = await held.adapter.verify({ onRow });
    say('verify-line', `${count(found.rows)} comparisons of ${found.kernels} kernels on ${found.device}: ${found.failed === 0 ? 'all right' : `${found.failed} failed`}`);
    report = JSON.stringify({ ...found, browser: navigator.userAgent, failures }, null, 2);
    $('copy').disabled = false;
  } finally {
    bar.hidden = true;
    held.working = false;
    changed();
  }
}

/** Keeps what was typed. */
export function edited() {
  edits.set(read.file, $('shader').value);
  showJudge();
}

/** Shows the shader as it was. */
export function undo() {
  edits.delete(read.file);
  showShader(read);
}
