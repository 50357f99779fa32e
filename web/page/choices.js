// What is trained: the network and the data, as they are chosen. A choice that fails or is given up leaves the one before.
import { $, changed, count, held, isBusy, say } from './state.js';
import { listKernels } from './shaders.js';

const FOUR = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
/** What may be packed with the page. */
const PACKED = { mnist: 'MNIST: written digits', 'fashion-mnist': 'Fashion-MNIST: clothes' };
/** As its authors call them (https://github.com/zalandoresearch/fashion-mnist); its files do not say. */
const CLASSES = {
  'fashion-mnist': ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
};
const PICTURE = /\.(avif|bmp|gif|jpe|jpe?g|jfif|png|webp)$/i;

/** What is chosen: values of the two lists. */
export const chosen = { network: 'tutorial.toml', data: 'mnist' };
/** Files of the user's own: pictures and their folder, the four files of a data set, the text of a model file. */
const own = { pictures: null, files: null, model: null };
/** The numbers that stood there before pictures brought their own. */
let numbers = null;

/** Offers what is the user's own in a list, before what asks for more. */
function offer(id, value, text) {
  const list = $(id);
  const option = [...list.options].find(option => option.value === value) ?? new Option('', value);
  option.textContent = text;
  if (!option.parentElement) list.add(option, [...list.options].find(option => option.value.startsWith('choose')));
}

/** Shows what is chosen. */
export function showChosen() {
  $('network').value = chosen.network;
  $('data').value = chosen.data;
}

/** A file of this page. */
async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} cannot be loaded: ${answer.status}`);
  return answer;
}

/** Lists the data that is packed with the page. */
export async function listData() {
  const packed = (await (await load('data/sets.json')).json()).filter(name => name in PACKED);
  packed.forEach(name => offer('data', name, PACKED[name]));
  if (!packed.includes(chosen.data) && !own.pictures && !own.files) [chosen.data] = packed;
  showChosen();
}

/** Reads the text of the model file that is chosen. */
export async function readModel() {
  const { network } = chosen;
  if (network === 'own') held.model = own.model;
  else if (network === 'pictures') held.model = await (await readData()).pictureModel();
  else held.model = await (await load(`models/${network}`)).text();
}

/** The data that is chosen, or these files of the user's own; read where it is not yet. */
export async function readData(name = chosen.data, files = null) {
  if (!files && held.data && held.dataName === name) return held.data;
  say('status', 'Reading the data ...');
  const before = held.data;
  let data;
  if (name === 'pictures') {
    const pictures = files ?? own.pictures;
    const onPicture = at => say('status', `Reading ${count(pictures.length)} pictures: ${count(at)}`);
    data = await held.engine.dataFromPictures(pictures[0][0].split('/')[0], pictures, { onPicture });
  } else {
    const read = async file => (await load(`data/${name}/${file}-ubyte.gz`)).arrayBuffer();
    const four = name === 'own' ? files ?? own.files : await Promise.all(FOUR.map(read));
    data = await held.engine.dataFromIdx(name === 'own' ? 'own files' : name, four, CLASSES[name]);
  }
  held.data = data;
  held.dataName = data.from = name;
  // What a model was trained on stays with it.
  if (before !== held.trainer?.data) await before?.free();
  const { samples: { train, test }, broken, classNames } = data;
  const classes = name === 'pictures' ? ` of ${count(classNames.length)} classes: ${classNames.slice(0, 12).join(', ')}${classNames.length > 12 ? ', ...' : ''}` : '';
  const left = broken.length === 0 ? '' : `; ${count(broken.length)} could not be read and are left out, such as ${broken[0][0]}`;
  say('status', `${count(train)} samples to train on, ${count(test)} to test on${classes}${left}`);
  return data;
}

/** Takes a network, and shows its kernels; the one before where that fails. */
async function takeNetwork(network) {
  const before = [chosen.network, held.model];
  chosen.network = network;
  try {
    await readModel();
    await listKernels();
  } catch (error) {
    [chosen.network, held.model] = before;
    throw error;
  } finally {
    showChosen();
  }
}

/** Takes a model file. */
async function takeModel(file) {
  const before = own.model;
  own.model = await file.text();
  try {
    await takeNetwork('own');
    offer('network', 'own', `Your model file: ${file.name}`);
    showChosen();
  } catch (error) {
    own.model = before;
    throw error;
  }
}

/** Takes the model of a run that was loaded. */
export async function takeModelOfRun(text) {
  own.model = text;
  offer('network', 'own', 'The model of the run that was loaded');
  await takeNetwork('own');
}

/** Takes other data, with a network that fits where pictures are left or come back. */
async function takeData(name) {
  chosen.data = name;
  showChosen();
  if (name === 'pictures') return takePictureModel();
  if (numbers) [$('limit').value, $('epochs').value] = numbers;
  numbers = null;
  if (chosen.network === 'pictures') await takeNetwork('tutorial.toml');
  return undefined;
}

/** Takes pictures, pairs of a path and a file, as the data. */
async function takePictures(files) {
  const pictures = files.filter(([path]) => PICTURE.test(path));
  if (pictures.length === 0) throw new Error('There are no pictures in it; a class is a folder of pictures (PNG, JPEG, WebP, ...)');
  await readData('pictures', pictures);
  own.pictures = pictures;
  chosen.data = 'pictures';
  offer('data', 'pictures', `Your pictures: ${pictures[0][0].split('/')[0]}`);
  await takePictureModel();
}

/** Takes the network for pictures, with all of them and as many epochs as it says. */
async function takePictureModel() {
  const { samples } = await readData();
  numbers ??= [$('limit').value, $('epochs').value];
  offer('network', 'pictures', 'For your pictures: convolutions with normalization');
  await takeNetwork('pictures');
  $('limit').value = samples.train;
  $('epochs').value = /^epochs = (\d+)/m.exec(held.model)?.[1] ?? 20;
}

/** Takes the four files of a data set. */
async function takeFiles(files) {
  const four = FOUR.map(part => files.find(file => file.name.replace('.idx', '-idx').includes(part)));
  if (four.some(file => !file)) throw new Error(`Choose the four files of a data set: their names contain ${FOUR.join(', ')}`);
  const buffers = await Promise.all(four.map(file => file.arrayBuffer()));
  await readData('own', buffers);
  own.files = buffers;
  offer('data', 'own', 'Your IDX files');
  await takeData('own');
}

/** All files in what was dropped, with their paths. */
async function dropped(items) {
  const entries = [...items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  const walk = async entry => {
    if (entry.isFile) {
      files.push([entry.fullPath.slice(1), await new Promise((resolve, reject) => entry.file(resolve, reject))]);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const one of some) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return files;
}

/** Asks for files; none where the user changes their mind. */
export function ask(input) {
  return new Promise(resolve => {
    input.value = '';
    input.onchange = () => resolve([...input.files]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}

/** Listens to the lists and to what is dropped; `choose` does what a choice asks for, one after another. */
export function listen(choose) {
  // Until files are chosen, what was chosen before them stands.
  const asked = async (input, take) => {
    const files = await ask($(input));
    if (files.length > 0 && !isBusy()) choose(() => take(files));
  };
  const asking = {
    'choose-model': () => asked('model-file', ([file]) => takeModel(file)),
    'choose-pictures': () => asked('folder', files => takePictures(files.map(file => [file.webkitRelativePath || file.name, file]))),
    'choose-files': () => asked('idx-files', takeFiles),
  };
  for (const [id, take] of [['network', takeNetwork], ['data', takeData]]) {
    $(id).addEventListener('change', () => {
      const { value } = $(id);
      if (!(value in asking)) return choose(() => take(value));
      showChosen();
      return asking[value]();
    });
  }
  addEventListener('dragover', event => event.dataTransfer.types.includes('Files') && event.preventDefault());
  addEventListener('drop', event => {
    // Text goes where it is dropped.
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    if (isBusy()) return;
    const files = dropped(event.dataTransfer.items);
    choose(async () => takePictures(await files));
  });
  changed();
}
