// What the page holds, and what is going on.

export const $ = id => document.getElementById(id);
export const say = (id, text) => { $(id).textContent = text; };
export const count = number => number.toLocaleString('en');

/** What the page holds of the engine, and what is going on with it. */
export const held = {
  engine: null, adapter: null, data: null, dataName: null, model: null, trainer: null,
  /** `idle`, `starting`, `training`, `pausing`, `stopping`, `paused`, `testing`, `over`. */
  phase: 'idle',
  /** Whether a verification, or the making of a report, is going on. */
  working: false,
};

export function isBusy() {
  return held.working || ['starting', 'training', 'pausing', 'stopping', 'testing'].includes(held.phase);
}

const listeners = [];
/** Has a function hear whenever something of this has changed. */
export const whenChanged = listener => { listeners.push(listener); };
export const changed = () => listeners.forEach(listener => listener());
