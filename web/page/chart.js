// Two curves over the steps: the loss of each batch and its running mean, and the running mean of the accuracy.

/** Steps that a running mean forgets by. */
const MEMORY = 50;
/** The most points of a curve; further ones are thinned out. */
const MOST = 4000;

export class Chart {
  #canvas;
  #points = [];
  #stride = 1;
  #mean = null;
  #steps = 1;
  #asked = false;

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  clear(steps) {
    this.#points = [];
    this.#stride = 1;
    this.#mean = null;
    this.#steps = Math.max(steps, 1);
    this.#draw();
  }

  /** Forgets what came after a step, of so many. */
  cut(step, steps) {
    this.#steps = Math.max(steps, 1);
    this.#points = this.#points.filter(point => point.step <= step);
    this.#mean = this.#points.at(-1) ?? null;
  }

  add({ step, loss, correct, samples }) {
    const accuracy = correct / samples;
    const share = this.#mean ? Math.max(1 / MEMORY, 1 / (this.#mean.seen + 1)) : 1;
    const blend = (before, now) => before + share * (now - before);
    this.#mean = {
      step, loss, seen: (this.#mean?.seen ?? 0) + 1,
      meanLoss: this.#mean ? blend(this.#mean.meanLoss, loss) : loss,
      meanAccuracy: this.#mean ? blend(this.#mean.meanAccuracy, accuracy) : accuracy,
    };
    if (step % this.#stride === 0) this.#points.push(this.#mean);
    if (this.#points.length > MOST) {
      this.#stride *= 2;
      this.#points = this.#points.filter(point => point.step % this.#stride === 0);
    }
    if (!this.#asked) {
      this.#asked = true;
      requestAnimationFrame(() => { this.#asked = false; this.#draw(); });
    }
  }

  #draw() {
    const canvas = this.#canvas;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
    context.font = '13px system-ui, sans-serif';
    const [left, right, top, bottom] = [44, width - 56, 24, height - 24];
    const most = Math.max(...this.#points.map(point => point.meanLoss), ...this.#points.slice(0, 3).map(point => point.loss), 0.1);
    const x = step => left + (right - left) * step / this.#steps;
    const y = share => bottom - (bottom - top) * Math.min(Math.max(share, 0), 1);
    context.strokeStyle = colour('line');
    context.fillStyle = colour('quiet');
    context.textBaseline = 'middle';
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      context.beginPath();
      context.moveTo(left, y(share));
      context.lineTo(right, y(share));
      context.stroke();
      context.textAlign = 'right';
      context.fillText((share * most).toFixed(2), left - 6, y(share));
      context.textAlign = 'left';
      context.fillText(`${100 * share} %`, right + 6, y(share));
    }
    context.textAlign = 'right';
    context.fillText(`step ${this.#steps.toLocaleString('en')}`, right, height - 8);
    context.textAlign = 'left';
    context.fillStyle = colour('loss');
    context.fillText('loss', left, 10);
    context.fillStyle = colour('accuracy');
    context.fillText('accuracy', left + 48, 10);
    const line = (name, thick, alpha, value) => {
      context.strokeStyle = colour(name);
      context.lineWidth = thick;
      context.globalAlpha = alpha;
      context.beginPath();
      for (const point of this.#points) context.lineTo(x(point.step), y(value(point)));
      context.stroke();
      context.globalAlpha = 1;
    };
    line('loss', 1, 0.3, point => point.loss / most);
    line('loss', 2, 1, point => point.meanLoss / most);
    line('accuracy', 2, 1, point => point.meanAccuracy);
    const mean = this.#mean;
    canvas.setAttribute('aria-label', mean
      ? `Step ${mean.step}: loss ${mean.meanLoss.toFixed(3)}, accuracy ${(100 * mean.meanAccuracy).toFixed(1)} percent`
      : 'No step is trained yet');
  }
}
