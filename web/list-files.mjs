// Writes files.json into the folder of a page: what it keeps for use without a network, and a name that changes with the content.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const folder = process.argv[2];
const files = readdirSync(folder, { recursive: true })
  .map(name => join(folder, name))
  .filter(path => statSync(path).isFile() && relative(folder, path) !== 'files.json')
  .map(path => relative(folder, path).split(sep).join('/'))
  .sort();
const digest = createHash('sha256');
for (const file of files) digest.update(file).update(readFileSync(join(folder, file)));
writeFileSync(join(folder, 'files.json'), JSON.stringify({ version: digest.digest('hex').slice(0, 16), files: ['./', ...files] }));
