// Writes into the worker of a page what it keeps for use without a network, and a version that changes with the content.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const folder = process.argv[2];
const worker = join(folder, 'offline.js');
const files = readdirSync(folder, { recursive: true })
  .map(name => join(folder, name))
  .filter(path => statSync(path).isFile() && path !== worker)
  .map(path => relative(folder, path).split(sep).join('/'))
  .sort();
const digest = createHash('sha256');
for (const file of files) digest.update(file).update(readFileSync(join(folder, file)));
const kept = JSON.stringify({ version: digest.digest('hex').slice(0, 16), files: ['./', ...files] });
const text = readFileSync(worker, 'utf8');
const filled = text.replace(/\/\* files \*\/ .*;/, () => `${kept};`);
if (filled === text) throw new Error(`${worker} has no place for its files`);
writeFileSync(worker, filled);
