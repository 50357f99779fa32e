// Keeps the page and its data, so that it works without a network once it was loaded.
const NAME = 'shadegrad';

addEventListener('install', event => {
  event.waitUntil((async () => {
    const { version, files } = await (await fetch('files.json', { cache: 'no-store' })).json();
    const cache = await caches.open(`${NAME}-${version}`);
    await cache.addAll(files.map(file => new Request(file, { cache: 'no-cache' })));
    await skipWaiting();
  })());
});

addEventListener('activate', event => {
  event.waitUntil((async () => {
    const { version } = await newest();
    for (const name of await caches.keys()) {
      if (name.startsWith(`${NAME}-`) && name !== `${NAME}-${version}`) await caches.delete(name);
    }
    await clients.claim();
  })());
});

/** The version that is kept, or that of the network. */
async function newest() {
  const answer = await fetch('files.json', { cache: 'no-store' }).catch(() => null);
  if (answer?.ok) return answer.json();
  const [name] = (await caches.keys()).filter(name => name.startsWith(`${NAME}-`));
  return { version: name?.slice(NAME.length + 1), files: [] };
}

addEventListener('fetch', event => {
  if (event.request.method !== 'GET' || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith((async () => {
    const found = await caches.match(event.request, { ignoreSearch: true });
    return found ?? fetch(event.request);
  })());
});
