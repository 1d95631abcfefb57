import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { heldTime } from "./time.js";

const SCRIPT = readFileSync(new URL("../../static/js/exam/worker.js", import.meta.url), "utf-8");
const HOME = "https://concours.example";

/** A service worker in a world whose network and caches are ours. */
function rig(network, version = "1", drawers = new Map()) {
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
  const release = `const RELEASE = ${JSON.stringify({ version, page: "/copie/", assets: ["/static/a.js"] })};\n`;
  vm.runInNewContext(release + SCRIPT, { self, caches, URL, setTimeout: timers.set, fetch: (asked) => network(asked.url ?? asked) });
  const waited = async (name) => {
    let done;
    listeners[name]({ waitUntil: (promise) => (done = promise) });
    await done;
  };
  const ask = (path, method = "GET") => {
    let answer = null;
    listeners.fetch({ request: { url: full(path), method }, respondWith: (given) => (answer = given) });
    return answer;
  };
  return { drawers, pass, waited, ask };
}

const fresh = async (address) => ({ ok: true, status: 200, from: `network ${new URL(address, HOME).pathname}` });

async function installed(network = fresh) {
  const world = { network: fresh };
  const made = rig((address) => world.network(address));
  await made.waited("install");
  await made.waited("activate");
  world.network = network;
  return made;
}

test("it keeps the page and its files, and lets the last release go", async () => {
  const drawers = new Map([["ecni-copie-0", new Map()]]);
  const { waited } = rig(fresh, "1", drawers);
  await waited("install");
  await waited("activate");
  assert.deepEqual([...drawers.keys()], ["ecni-copie-1"]);
  assert.deepEqual([...drawers.get("ecni-copie-1").keys()], [`${HOME}/static/a.js`, `${HOME}/copie/`]);
});
test("an install without its page fails", async () => {
  const { waited } = rig(async () => ({ ok: false, status: 503 }));
  await assert.rejects(waited("install"), /503/);
});
test("the page is the server's when it answers", async () => {
  const { ask } = await installed(async () => ({ status: 200, from: "now" }));
  assert.equal((await ask("/copie/")).from, "now");
});
for (const [name, network] of [
  ["there is no network", () => Promise.reject(new Error("offline"))],
  ["the server is ill", async () => ({ status: 502, from: "proxy" })],
]) {
  test(`the page is the one kept when ${name}`, async () => {
    const { ask } = await installed(network);
    assert.equal((await ask("/copie/")).from, "network /copie/");
  });
}
test("the page is the one kept when the server says nothing for three seconds", async () => {
  const { ask, pass } = await installed(() => new Promise(() => {}));
  const answer = ask("/copie/");
  await pass(3_100);
  assert.equal((await answer).from, "network /copie/");
});
test("its files come from the tablet", async () => {
  const { ask } = await installed(() => Promise.reject(new Error("offline")));
  assert.equal((await ask("/static/a.js")).from, "network /static/a.js");
});
test("what was wiped is fetched again when the page says that it has the network", async () => {
  const { drawers, waited } = await installed();
  drawers.clear();
  await waited("message");
  assert.equal(drawers.get("ecni-copie-1").size, 2);
});
test("nothing else is answered: no frame, no paper, no receipt, no page of the staff", async () => {
  const { ask } = await installed();
  const others = ["/copie/trames/", "/copie/recu.svg?tete=1", "/sujets/1.ecni", "/salle/1/", "/", "/static/b.js", "https://ailleurs.example/copie/"];
  assert.deepEqual(others.map((path) => ask(path)), others.map(() => null));
  assert.equal(ask("/copie/", "POST"), null);
});
