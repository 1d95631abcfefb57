import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HOME, fresh, installed as installedBy, workerWorld } from "./drawers.js";

const SCRIPT = readFileSync(new URL("../../static/js/centre/worker.js", import.meta.url), "utf-8");
const RELEASE = { version: "1", page: "/entrer/sans-reponse/", assets: ["/static/a.js"] };

/** The worker of the entrance. */
function rig(network, drawers = new Map()) {
  const made = workerWorld(SCRIPT, RELEASE, network, drawers, { AbortController, Response: { error: () => "no page" } });
  return { ...made, ask: (path, mode = "navigate", method = "GET") => made.ask(path, method, mode) };
}

const silent = (_address, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
const installed = (network) => installedBy(rig, network);

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
