// The service worker of the candidate's page, a classic script: ecni/shared/offline.py sends it after a line that says `RELEASE`,
// the version and the addresses of the page and of all that it loads. It keeps files that are the same for everybody and nothing
// else; it answers for the page and these files alone.

/* global RELEASE */

const FAMILY = "ecni-copie-";
const CACHE = FAMILY + RELEASE.version;
const PATIENCE_MS = 3_000;

async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll(RELEASE.assets);
  const page = await fetch(RELEASE.page, { cache: "reload", credentials: "omit" });
  if (!page.ok) throw new Error(`HTTP ${page.status}`);
  await cache.put(RELEASE.page, page);
}

async function install() {
  await fill();
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith(FAMILY) && name !== CACHE); // the entrance has its own
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

const kept = async (address) => (await caches.open(CACHE)).match(address);

/** A page says that it has the network: what a wipe took away is fetched again; a page that was on its way is taken too. */
async function again() {
  await self.clients.claim();
  if (!(await kept(RELEASE.page))) await fill();
}

/** The page of the server when it answers soon and well, else the one that is kept. @param {Request} request */
async function page(request) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await Promise.race([fetch(request).catch(() => undefined), late]);
  if (answer && answer.status < 500) return answer;
  return (await kept(RELEASE.page)) ?? answer ?? fetch(request);
}

/** @param {Request} request */
const file = async (request) => (await kept(request.url)) ?? fetch(request);

function answerOf(request) {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return null;
  if (pathname === RELEASE.page) return page(request);
  return RELEASE.assets.includes(pathname) ? file(request) : null;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.waitUntil(again().catch(() => {})));
self.addEventListener("fetch", (event) => {
  const answer = answerOf(event.request);
  if (answer) event.respondWith(answer);
});
