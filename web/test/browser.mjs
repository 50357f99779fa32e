// A page in Chromium on its software adapter, and a server on this machine for it. Requests to anywhere else are counted, and refused.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = {
  '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm', '.webmanifest': 'application/manifest+json',
};

/** Serves a folder on a port of its own. */
export async function serve(folder, port = 0) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    try {
      const content = await readFile(file);
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(content);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser's program. */
export function program() {
  const found = process.env.CHROMIUM ?? PLACES.find(existsSync);
  if (!found) throw new Error('no Chromium was found; install it, or say where it is: CHROMIUM=/path/to/chromium');
  return found;
}

/** Bytes that the processes of the browser with this profile hold for themselves; Linux tells. */
function resident(profile) {
  const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(pid => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const field = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      const isFirst = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`--user-data-dir=${profile}`);
      return [{ pid: Number(pid), parent: field('PPid'), bytes: 1024 * (field('RssAnon') + field('RssShmem')), isFirst }];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
  const of = new Set(processes.filter(({ isFirst }) => isFirst).map(({ pid }) => pid));
  for (let before = -1; before < of.size;) {
    before = of.size;
    processes.filter(({ parent }) => of.has(parent)).forEach(({ pid }) => of.add(pid));
  }
  return processes.filter(({ pid }) => of.has(pid)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Opens a browser that reaches nothing but this machine; `away` lists what asked for more. */
export async function browse(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'shadegrad-chromium-'));
  const quiet = ['background-networking', 'component-update', 'sync', 'quic', 'default-apps', 'extensions'];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: program(),
    headless: true,
    chromiumSandbox: false,
    ...options,
    args: [
      '--headless=new', '--no-sandbox', '--enable-unsafe-webgpu', '--no-first-run', ...quiet.map(name => `--disable-${name}`),
    ],
  });
  const away = [];
  await context.route('**/*', (route, request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol === 'blob:' || protocol === 'data:' || hostname === '127.0.0.1') return route.continue();
    away.push(request.url());
    return route.abort();
  });
  return {
    context,
    away,
    /** Bytes that its processes hold for themselves: page, worker, adapter and all. */
    resident: () => resident(profile),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
