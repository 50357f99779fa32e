// Small images on canvases.

/** Shows bytes, `[height, width, channels]`. */
export function showImage(canvas, bytes, [height, width, channels]) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      image.data[4 * pixel + colour] = bytes[pixel * channels + (channels === 3 ? colour : 0)];
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Shows the filters of a kernel, `[height, width, channels, filters]`, side by side: of each its first channel, grey at zero. */
export function showFilters(canvas, values, [height, width, channels, filters]) {
  const columns = Math.min(8, filters);
  const rows = Math.ceil(filters / columns);
  canvas.width = columns * (width + 1) + 1;
  canvas.height = rows * (height + 1) + 1;
  const context = canvas.getContext('2d');
  const image = context.createImageData(canvas.width, canvas.height);
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  for (let filter = 0; filter < filters; filter++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const value = values[((row * width + column) * channels) * filters + filter] / most;
        const x = (filter % columns) * (width + 1) + 1 + column;
        const y = Math.floor(filter / columns) * (height + 1) + 1 + row;
        const place = 4 * (y * canvas.width + x);
        image.data.fill(128 + 127 * value, place, place + 3);
        image.data[place + 3] = 255;
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/** A canvas to draw on, black on white; calls `onDrawn` at most once a frame. */
export class Pad {
  #canvas;
  #context;
  #last = null;
  #asked = false;

  constructor(canvas, onDrawn) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { willReadFrequently: true });
    this.onDrawn = onDrawn;
    this.clear();
    canvas.addEventListener('pointerdown', event => {
      canvas.setPointerCapture(event.pointerId);
      this.#last = this.#place(event);
      this.#stroke(this.#last);
    });
    canvas.addEventListener('pointermove', event => this.#last && this.#stroke(this.#place(event)));
    for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { this.#last = null; });
  }

  clear() {
    this.#context.fillStyle = '#fff';
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  get pixels() { return this.#context.getImageData(0, 0, this.#canvas.width, this.#canvas.height); }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.#canvas.width / box.width, (event.clientY - box.top) * this.#canvas.height / box.height];
  }

  #stroke(to) {
    const context = this.#context;
    Object.assign(context, { strokeStyle: '#000', lineWidth: 22, lineCap: 'round', lineJoin: 'round' });
    context.beginPath();
    context.moveTo(...this.#last);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
    this.#last = to;
    if (!this.#asked) {
      this.#asked = true;
      requestAnimationFrame(() => { this.#asked = false; this.onDrawn(); });
    }
  }
}
