// Lists the data sets of a page for it, and writes into its worker what that keeps for use without a network, and a version that changes
// with the content. What is larger than the rest together is kept once it was used.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const folder = process.argv[2];
const worker = join(folder, 'offline.js');
const LATER = 'data/fashion-mnist/';
const sets = readdirSync(join(folder, 'data'), { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name);
// MNIST first: it is what the tutorial trains on.
writeFileSync(join(folder, 'data', 'sets.json'), JSON.stringify(sets.sort().reverse()));
const files = readdirSync(folder, { recursive: true })
  .map(name => join(folder, name))
  .filter(path => statSync(path).isFile() && path !== worker)
  .map(path => relative(folder, path).split(sep).join('/'))
  .sort();
const digest = createHash('sha256');
for (const file of files) digest.update(file).update(readFileSync(join(folder, file)));
const kept = JSON.stringify({ version: digest.digest('hex').slice(0, 16), files: ['./', ...files.filter(file => !file.startsWith(LATER))] });
const text = readFileSync(worker, 'utf8');
const filled = text.replace(/\/\* files \*\/ .*;/, () => `${kept};`);
if (filled === text) throw new Error(`${worker} has no place for its files`);
writeFileSync(worker, filled);
