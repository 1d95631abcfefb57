import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HOME, fresh, installed as installedBy, workerWorld } from "./drawers.js";

const SCRIPT = readFileSync(new URL("../../static/js/exam/worker.js", import.meta.url), "utf-8");

/** The worker of the tablet's page. */
const rig = (network, version = "1", drawers = new Map()) =>
  workerWorld(SCRIPT, { version, page: "/copie/", assets: ["/static/a.js"] }, network, drawers);
const installed = (network) => installedBy(rig, network);

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
test("a page that was on its way when the worker took its pages is taken when it speaks", async () => {
  const { claims, waited } = await installed();
  const before = claims.count;
  await waited("message");
  assert.equal(claims.count, before + 1);
});
test("nothing else is answered: no frame, no paper, no receipt, no page of the staff", async () => {
  const { ask } = await installed();
  const others = ["/copie/trames/", "/copie/recu.svg?tete=1", "/sujets/1.ecni", "/salle/1/", "/", "/static/b.js", "https://ailleurs.example/copie/"];
  assert.deepEqual(others.map((path) => ask(path)), others.map(() => null));
  assert.equal(ask("/copie/", "POST"), null);
});
