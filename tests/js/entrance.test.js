import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { heldTime } from "./time.js";

const SCRIPT = readFileSync(new URL("../../static/js/centre/worker.js", import.meta.url), "utf-8");
const HOME = "https://concours.example";
const RELEASE = { version: "1", page: "/entrer/sans-reponse/", assets: ["/static/a.js"] };

/** The worker of the entrance in a world whose network and caches are ours. */
function rig(network, drawers = new Map()) {
  const { timers, pass } = heldTime();
  const listeners = {};
  const full = (address) => new URL(address.url ?? address, HOME).href;
  const caches = {
    open: async (name) => {
      if (!drawers.has(name)) drawers.set(name, new Map());
      const drawer = drawers.get(name);
      return {
        addAll: async (all) => void (await Promise.all(all.map(async (one) => drawer.set(full(one), await network(one))))),
        put: async (one, answer) => void drawer.set(full(one), answer),
        match: async (one) => drawer.get(full(one)),
      };
    },
    keys: async () => [...drawers.keys()],
    delete: async (name) => drawers.delete(name),
  };
  const self = {
    location: { origin: HOME }, skipWaiting: async () => {}, clients: { claim: async () => {} },
    addEventListener: (name, call) => (listeners[name] = call),
  };
  vm.runInNewContext(`const RELEASE = ${JSON.stringify(RELEASE)};\n${SCRIPT}`, {
    self, caches, URL, AbortController, setTimeout: timers.set, clearTimeout: timers.clear, Response: { error: () => "no page" },
    fetch: (asked, options) => network(asked.url ?? asked, options),
  });
  const waited = async (name) => {
    let done;
    listeners[name]({ waitUntil: (promise) => (done = promise) });
    await done;
  };
  const ask = (path, mode = "navigate", method = "GET") => {
    let answer = null;
    listeners.fetch({ request: { url: full(path), method, mode }, respondWith: (given) => (answer = given) });
    return answer;
  };
  return { drawers, pass, waited, ask };
}

const fresh = async (address) => ({ ok: true, status: 200, from: `network ${new URL(address, HOME).pathname}` });
const silent = (_address, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

async function installed(network) {
  const world = { network: fresh };
  const made = rig((...asked) => world.network(...asked));
  await made.waited("install");
  await made.waited("activate");
  world.network = network;
  return made;
}

test("it keeps its page and files, and leaves those of the tablet's page", async () => {
  const drawers = new Map([["ecni-entree-0", new Map()], ["ecni-copie-1", new Map()]]);
  const { waited } = rig(fresh, drawers);
  await waited("install");
  await waited("activate");
  assert.deepEqual([...drawers.keys()], ["ecni-copie-1", "ecni-entree-1"]);
  assert.deepEqual([...drawers.get("ecni-entree-1").keys()], [`${HOME}/static/a.js`, `${HOME}/entrer/sans-reponse/`]);
});
for (const status of [0, 200, 403, 405, 422, 500]) {
  test(`what the house answers is shown (${status})`, async () => {
    const { ask } = await installed(async () => ({ status, from: "house" }));
    assert.equal((await ask("/entrer/identite/", "navigate", "POST")).from, "house");
  });
}
for (const [name, network] of [
  ["there is no network", () => Promise.reject(new Error("offline"))],
  ["a proxy answers in its stead", async () => ({ status: 502 })],
  ["a proxy is full", async () => ({ status: 503 })],
  ["a proxy has waited in vain", async () => ({ status: 504 })],
]) {
  test(`the page says to wait when ${name}`, async () => {
    const { ask } = await installed(network);
    assert.equal((await ask("/entrer/")).from, "network /entrer/sans-reponse/");
    assert.equal((await ask("/entrer/oui/", "navigate", "POST")).from, "network /entrer/sans-reponse/");
  });
}
test("the page says to wait when the server says nothing for ten seconds, and the call is given up", async () => {
  const { ask, pass } = await installed(silent);
  const answer = ask("/entrer/identite/", "navigate", "POST");
  await pass(10_100);
  assert.equal((await answer).from, "network /entrer/sans-reponse/");
});
test("without the page that was kept, the browser says it", async () => {
  const { ask, drawers } = await installed(() => Promise.reject(new Error("offline")));
  drawers.clear();
  assert.equal(await ask("/entrer/"), "no page");
});
test("its files come from the tablet, and nothing else is answered", async () => {
  const { ask } = await installed(() => Promise.reject(new Error("offline")));
  assert.equal((await ask("/static/a.js", "cors")).from, "network /static/a.js");
  assert.equal(ask("/static/b.js", "cors"), null);
  assert.equal(ask("/copie/trames/", "cors", "POST"), null);
  assert.equal(ask("https://ailleurs.example/entrer/"), null);
});
