import assert from "node:assert/strict";
import { test } from "node:test";
import { chained } from "../../static/js/exam/chain.js";
import { apply, blank } from "../../static/js/exam/fold.js";
import { Outbox, WINDOW } from "../../static/js/exam/outbox.js";
import { FakeServer, MemoryStore, seeded } from "./server.js";

/** A page on a tablet: its outbox and the frames it has sent and that nobody has read. */
function page(server, store = new MemoryStore()) {
  const sent = [];
  const outbox = new Outbox({ base: blank(server.genesis), store, send: (text) => sent.push(JSON.parse(text)), now: () => 1_000 });
  return { outbox, sent, store };
}

/** Give the server's answer to every frame sent, in order, until there is none. */
async function converse({ outbox, sent }, server) {
  while (sent.length) await heard(outbox, await server.receive(sent.shift()), server);
}

async function heard(outbox, frame, server) {
  if (frame.t === "ack") return outbox.acknowledge(frame.seq);
  const advice = await outbox.refuse(frame);
  if (advice === "retry") await outbox.retry();
  if (advice === "resync") await outbox.reconcile(server.state());
}

async function connected() {
  const server = await FakeServer.start();
  const tablet = page(server);
  await tablet.outbox.reconcile(server.state());
  return { server, tablet, ...tablet };
}

test("an act is stored before it is sent", async () => {
  const { outbox, store, sent } = await connected();
  const append = store.append.bind(store);
  store.append = async (op) => {
    assert.equal(sent.length, 0);
    await append(op);
  };
  await outbox.add("answer", 7, "AC");
  assert.equal(store.ops.length, 1);
  assert.equal(sent.length, 1);
});
test("an acknowledged act is forgotten by the tablet and counted in its base", async () => {
  const { server, tablet, outbox, store } = await connected();
  await outbox.add("answer", 7, "AC");
  await converse(tablet, server);
  assert.deepEqual([outbox.waiting, store.ops, outbox.base.answers], [0, [], { 7: "AC" }]);
});
test("an acknowledgement heard twice changes nothing", async () => {
  const { server, tablet, outbox } = await connected();
  await outbox.add("answer", 7, "AC");
  await converse(tablet, server);
  const before = outbox.base;
  await outbox.acknowledge(1);
  assert.deepEqual(outbox.base, before);
});
test("at most sixteen acts are in flight", async () => {
  const { outbox, sent } = await connected();
  for (let turn = 0; turn < 40; turn++) await outbox.add("answer", 7, turn % 2 ? "A" : "B");
  assert.equal(sent.length, WINDOW);
  await outbox.acknowledge(10);
  assert.deepEqual([sent.length, outbox.waiting], [WINDOW + 10, 30]);
});
test("nothing is sent before the server's state", async () => {
  const server = await FakeServer.start();
  const { outbox, sent } = page(server);
  await outbox.add("answer", 7, "A");
  assert.equal(sent.length, 0);
  assert.deepEqual(outbox.fold.answers, { 7: "A" });
});
test("a page that dies offline gives its acts to the next one", async () => {
  const { server, tablet, outbox, store } = await connected();
  await outbox.add("answer", 1, "A");
  await converse(tablet, server);
  await outbox.disconnect();
  await outbox.add("answer", 2, "B");
  await outbox.add("flag", 2, "1");
  const next = page(server, store);
  await next.outbox.load();
  assert.deepEqual([next.outbox.fold.answers, next.outbox.fold.flags], [{ 1: "A", 2: "B" }, [2]]);
  await next.outbox.reconcile(server.state());
  await converse(next, server);
  assert.deepEqual(server.fold.answers, { 1: "A", 2: "B" });
});
test("acts stored by the server whose acknowledgement was lost are not sent again", async () => {
  const { server, outbox, sent } = await connected();
  for (const letter of "ABC") await outbox.add("answer", 7, letter);
  for (const frame of sent.splice(0).slice(0, 2)) await server.receive(frame);
  await outbox.disconnect();
  await outbox.reconcile(server.state());
  assert.deepEqual([sent.map(({ seq }) => seq), outbox.waiting], [[3], 1]);
});
test("a tablet with an empty storage takes the server's state", async () => {
  const { server, tablet, outbox } = await connected();
  await outbox.add("answer", 7, "AC");
  await converse(tablet, server);
  const wiped = page(server);
  await wiped.outbox.reconcile(server.state());
  assert.deepEqual([wiped.outbox.base.seq, wiped.outbox.fold.answers], [1, { 7: "AC" }]);
});
test("acts made on an older head are made again on the server's, but where it has decided since", async () => {
  const { server, outbox, store } = await connected();
  await outbox.disconnect();
  await outbox.add("answer", 1, "A");
  await outbox.add("answer", 2, "B");
  const other = page(server);
  await other.outbox.reconcile(server.state());
  await other.outbox.add("answer", 2, "E");
  await other.outbox.add("answer", 3, "C");
  await converse(other, server);
  const back = page(server, store);
  await back.outbox.load();
  await back.outbox.reconcile(server.state());
  await converse(back, server);
  assert.deepEqual(server.fold.answers, { 1: "A", 2: "E", 3: "C" });
});
test("a refused act is dropped and the next ones are chained again", async () => {
  const { server, tablet, outbox } = await connected();
  server.objection = ({ q }) => (q === 2 ? "sealed" : null);
  for (const q of [1, 2, 3]) await outbox.add("answer", q, "A");
  await converse(tablet, server);
  assert.deepEqual([server.fold.answers, outbox.fold.answers, outbox.waiting], [{ 1: "A", 3: "A" }, { 1: "A", 3: "A" }, 0]);
});
for (const code of ["too-fast", "busy", "paused"]) {
  test(`an act refused as ${code} is kept and sent again`, async () => {
    const { server, tablet, outbox } = await connected();
    let refusals = 3;
    server.objection = () => (refusals-- > 0 ? code : null);
    for (const q of [1, 2, 3]) await outbox.add("answer", q, "A");
    await converse(tablet, server);
    assert.deepEqual([server.fold.answers, outbox.waiting], [{ 1: "A", 2: "A", 3: "A" }, 0]);
  });
}
test("an act whose digest was damaged in storage is chained again", async () => {
  const { server, outbox, store } = await connected();
  await outbox.disconnect();
  await outbox.add("answer", 1, "A");
  store.base = blank(server.genesis);
  store.ops[0].digest = "0".repeat(64);
  const next = page(server, store);
  await next.outbox.load();
  await next.outbox.reconcile(server.state());
  await converse(next, server);
  assert.deepEqual(server.fold.answers, { 1: "A" });
});
test("acts after a refused one follow those that still wait before it", async () => {
  const { outbox } = await connected();
  for (const q of [1, 2, 3]) await outbox.add("answer", q, "A");
  assert.equal(await outbox.refuse({ code: "locked", seq: 2 }), "dropped");
  const [first, second] = outbox.pending;
  assert.deepEqual([outbox.pending.map(({ seq, q }) => [seq, q]), second.digest], [[[1, 1], [2, 3]], (await chained(first, second)).digest]);
});
test("a storage that fails does not stop the candidate", async () => {
  const { server, tablet, outbox, store } = await connected();
  store.isBroken = true;
  await outbox.add("answer", 7, "AC");
  assert.equal(outbox.isDurable, false);
  await converse(tablet, server);
  assert.deepEqual(server.fold.answers, { 7: "AC" });
});
test("acts made while the storage failed are all stored once it works again", async () => {
  const { outbox, store } = await connected();
  store.isBroken = true;
  await outbox.add("answer", 1, "A");
  store.isBroken = false;
  await outbox.add("answer", 2, "B");
  assert.deepEqual([store.ops.map(({ q }) => q), outbox.isDurable], [[1, 2], true]);
});
test("what a storage does not give at the start is not written over, and follows when it answers again", async () => {
  const { server, outbox, store } = await connected();
  await outbox.disconnect();
  await outbox.add("answer", 1, "A");
  await outbox.add("answer", 2, "B");
  const { load } = store;
  store.load = () => Promise.reject(new Error("the storage does not answer"));
  const next = page(server, store);
  assert.equal(await next.outbox.load(), false);
  await next.outbox.reconcile(server.state());
  await next.outbox.add("answer", 2, "C");
  await next.outbox.persist();
  assert.deepEqual([store.ops.length, next.outbox.isRead, next.outbox.isDurable], [2, false, false]);
  store.load = load;
  await next.outbox.persist();
  await converse(next, server);
  assert.deepEqual([server.fold.answers, store.ops, next.outbox.isDurable], [{ 1: "A", 2: "C" }, [], true]);
});
test("a storage wiped under way is written whole at the next act", async () => {
  const { server, outbox, store } = await connected();
  await outbox.disconnect();
  await outbox.add("answer", 1, "A");
  [store.base, store.ops] = [null, []];
  await outbox.add("answer", 2, "B");
  const next = page(server, store);
  await next.outbox.load();
  assert.deepEqual(next.outbox.fold.answers, { 1: "A", 2: "B" });
});
test("acts whose base was lost are sent when they follow the server's head", async () => {
  const { server, tablet, outbox, store } = await connected();
  await outbox.add("answer", 1, "A");
  await converse(tablet, server);
  await outbox.disconnect();
  await outbox.add("answer", 1, "B");
  store.base = null;
  const next = page(server, store);
  assert.equal(await next.outbox.load(), false);
  await next.outbox.reconcile(server.state());
  await converse(next, server);
  assert.deepEqual([server.fold.answers, server.journal.length], [{ 1: "B" }, 2]);
});
test("acts with a hole between them are chained again", async () => {
  const { server, outbox, store } = await connected();
  await outbox.disconnect();
  for (const q of [1, 2, 3]) await outbox.add("answer", q, "A");
  store.ops.splice(1, 1);
  const next = page(server, store);
  assert.equal(await next.outbox.load(), true);
  await next.outbox.reconcile(server.state());
  await converse(next, server);
  assert.deepEqual(server.fold.answers, { 1: "A", 3: "A" });
});
test("a storage that cannot be read is no reason to stop", async () => {
  const { server, store } = await connected();
  store.load = () => Promise.reject(new Error("corrupted"));
  const next = page(server, store);
  assert.equal(await next.outbox.load(), false);
  await next.outbox.reconcile(server.state());
  assert.equal(next.outbox.base.seq, 0);
});
test("acts that the server keeps apart are let go, the others keep their numbers", async () => {
  const { outbox, store } = await connected();
  await outbox.disconnect();
  for (const q of [1, 2, 3]) await outbox.add("answer", q, "A");
  const last = outbox.pending[2];
  await outbox.surrender([1, 2]);
  assert.deepEqual([outbox.pending, store.ops], [[last], [last]]);
});
test("nothing is stored once the sheet is over", async () => {
  const { outbox, store, server } = await connected();
  outbox.detach();
  const before = structuredClone(store.base);
  await outbox.reconcile({ ...server.state(), answers: { 1: "A" } });
  assert.deepEqual(store.base, before);
});

/** One candidate's hour in a bad hall: frames lost on both ways, sockets and pages that die. */
async function badHour(seed) {
  const random = seeded(seed);
  const server = await FakeServer.start();
  let tablet = page(server);
  let isUp = false;
  const expected = {};
  for (let turn = 0; turn < 120; turn++) {
    const dice = random();
    if (dice < 0.5) {
      const [q, value] = [1 + Math.floor(random() * 9), "ABCDE"[Math.floor(random() * 5)]];
      await tablet.outbox.add("answer", q, value);
      expected[q] = value;
    } else if (dice < 0.8 && isUp) {
      const frame = tablet.sent.shift();
      if (!frame) continue;
      const answer = await server.receive(frame);
      if (random() < 0.8) await heard(tablet.outbox, answer, server);
    } else if (dice < 0.9) {
      await tablet.outbox.disconnect();
      tablet.sent.length = 0;
      isUp = false;
      if (random() < 0.3) {
        tablet = page(server, tablet.store);
        await tablet.outbox.load();
      }
    } else if (!isUp) {
      await tablet.outbox.reconcile(server.state());
      isUp = true;
    }
  }
  tablet.sent.length = 0;
  await tablet.outbox.disconnect();
  await tablet.outbox.reconcile(server.state());
  await converse(tablet, server);
  return { server, outbox: tablet.outbox, expected };
}

for (let seed = 1; seed <= 40; seed++) {
  test(`nothing is lost nor doubled in bad hour ${seed}`, async () => {
    const { server, outbox, expected } = await badHour(seed);
    assert.deepEqual(server.fold.answers, expected);
    assert.deepEqual([outbox.waiting, outbox.base.digest], [0, server.fold.digest]);
    let head = blank(server.genesis);
    for (const op of server.journal) {
      assert.deepEqual(await chained(head, op), op);
      head = apply(head, op);
    }
  });
}
