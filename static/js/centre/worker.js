// The service worker of the entrance, a classic script: ecni/shared/offline.py sends it after a line that says `RELEASE`, the version
// and the addresses of the page that says to wait and of all that it loads. It shows that page when the server says nothing in time or
// a proxy answers in its stead; it keeps that page alone, which is the same for everybody.

/* global RELEASE */

const FAMILY = "ecni-entree-";
const CACHE = FAMILY + RELEASE.version;
const PATIENCE_MS = 10_000;
const AWAY = [502, 503, 504];

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(RELEASE.assets);
  const page = await fetch(RELEASE.page, { cache: "reload", credentials: "omit" });
  if (!page.ok) throw new Error(`HTTP ${page.status}`);
  await cache.put(RELEASE.page, page);
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith(FAMILY) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

const kept = async (address) => (await caches.open(CACHE)).match(address);

/** What the server answers, or nothing: no network, no word in time, or the word of a proxy. @param {Request} request */
async function asked(request) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS); // a call that lasts would keep its line from the next ones
  try {
    const answer = await fetch(request, { signal: patience.signal });
    return AWAY.includes(answer.status) ? null : answer;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Request} request */
const page = async (request) => (await asked(request)) ?? (await kept(RELEASE.page)) ?? Response.error();

/** @param {Request} request */
const file = async (request) => (await kept(request.url)) ?? fetch(request);

function answerOf(request) {
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return null;
  if (request.mode === "navigate") return page(request);
  return RELEASE.assets.includes(pathname) ? file(request) : null;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const answer = answerOf(event.request);
  if (answer) event.respondWith(answer);
});
