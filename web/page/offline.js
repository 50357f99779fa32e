// Keeps the page and its data, so that it works without a network once it was loaded. What it keeps, and the version of that, are written
// into this file when the page is packed: another file is another worker, which browsers then install.
const { version, files } = /* files */ { version: 'none', files: [] };
const PREFIX = `shadegrad ${registration.scope} `;
const NAME = PREFIX + version;
const LATER = new URL('data/fashion-mnist/', registration.scope).href;

addEventListener('install', event => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    await cache.addAll(files.map(file => new Request(file, { cache: 'no-cache' })));
    await skipWaiting();
  })());
});

addEventListener('activate', event => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
    }
    await clients.claim();
  })());
});

addEventListener('fetch', event => {
  if (event.request.method !== 'GET' || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith((async () => {
    const cache = await caches.open(NAME);
    const kept = await cache.match(event.request, { ignoreSearch: true });
    if (kept) return kept;
    const answer = await fetch(event.request);
    // What was not fetched before it was wanted.
    if (answer.ok && event.request.url.startsWith(LATER)) event.waitUntil(cache.put(event.request, answer.clone()));
    return answer;
  })());
});
