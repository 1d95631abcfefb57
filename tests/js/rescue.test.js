import assert from "node:assert/strict";
import { test } from "node:test";
import { blank } from "../../static/js/exam/fold.js";
import { Outbox } from "../../static/js/exam/outbox.js";
import { rescue } from "../../static/js/exam/rescue.js";
import { golden } from "./golden.js";
import { FakeServer, MemoryStore } from "./server.js";

const KEY = "3|K7-4302";
const SHAPE = golden("server").accepted[0].frame;

/** A tablet whose acts have not left, and the server behind `POST /copie/trames/`. */
async function rig() {
  const server = await FakeServer.start();
  const store = new MemoryStore();
  const outbox = new Outbox({ base: blank(server.genesis), store, send: () => {}, now: () => 1_000 });
  for (const q of [1, 2, 3]) await outbox.add("answer", q, "A");
  const made = { server, store, outbox, isReplaced: false, status: 200, posts: 0 };
  made.post = async (texts) => {
    made.posts += 1;
    const frames = texts.map((text) => JSON.parse(text));
    if (made.isReplaced) {
      const apart = frames.map(({ seq }) => ({ t: "refused", code: "quarantined", text: "", seq }));
      return { status: 200, frames: [...apart, { t: "bye", code: "replaced", text: "" }] };
    }
    const answers = [{ ...SHAPE, ...server.state() }];
    for (const frame of frames) answers.push(await server.receive(frame));
    return { status: made.status, frames: answers };
  };
  return made;
}

test("acts of a sheet that is still this tablet's are written", async () => {
  const { server, outbox, post } = await rig();
  assert.deepEqual(await rescue(outbox, KEY, post), { state: "done", quarantined: 0 });
  assert.deepEqual([server.fold.answers, outbox.waiting], [{ 1: "A", 2: "A", 3: "A" }, 0]);
});
test("more acts than one request may carry all leave", async () => {
  const { server, outbox, post } = await rig();
  for (let turn = 0; turn < 120; turn++) await outbox.add("answer", 4, "ABCDE"[turn % 5]);
  assert.equal((await rescue(outbox, KEY, post)).state, "done");
  assert.equal(server.journal.length, 123);
});
test("acts of a replaced tablet are kept apart, once, and counted", async () => {
  const made = await rig();
  made.isReplaced = true;
  assert.deepEqual(await rescue(made.outbox, KEY, made.post), { state: "done", quarantined: 3 });
  assert.deepEqual([made.outbox.waiting, made.store.ops, made.posts, made.server.journal], [0, [], 2, []]);
});
test("acts that arrive after the end are counted too", async () => {
  const { server, outbox, post } = await rig();
  server.objection = () => "quarantined";
  assert.deepEqual(await rescue(outbox, KEY, post), { state: "done", quarantined: 3 });
});
test("a ticket of another sheet, or of none, sends nothing", async () => {
  const made = await rig();
  assert.deepEqual(await rescue(made.outbox, "3|A1-0001", made.post), { state: "refused", quarantined: 0 });
  made.status = 401;
  assert.deepEqual(await rescue(made.outbox, KEY, made.post), { state: "refused", quarantined: 0 });
  assert.deepEqual([made.outbox.waiting, made.server.journal.length], [3, 0]);
});
for (const [name, fault] of [
  ["a network that fails", () => Promise.reject(new Error("offline"))],
  ["a server that answers 502", async () => ({ status: 502, frames: [] })],
  ["an answer that says nothing", async () => ({ status: 200, frames: [] })],
]) {
  test(`${name} leaves the acts here, for another try`, async () => {
    const { outbox } = await rig();
    assert.deepEqual(await rescue(outbox, KEY, fault), { state: "waiting", quarantined: 0 });
    assert.equal(outbox.waiting, 3);
  });
}
