import assert from "node:assert/strict";
import { test } from "node:test";
import { genesis } from "../../static/js/exam/chain.js";
import { Clock } from "../../static/js/exam/clock.js";
import { screenOf } from "../../static/js/exam/screens.js";
import { Tablet } from "../../static/js/exam/tablet.js";
import { golden } from "./golden.js";
import { MemoryStore } from "./server.js";

const KEY = "3|K7-4302";
const STATE = {
  ...golden("server").accepted[0].frame, paper: null, seq: 0, digest: await genesis(3, "K7-4302"), answers: {}, sealed: [], flags: [], strikes: {},
};

/** A tablet on its storage, without a page. */
function rig({ stores = new Map(), row = null, post = async () => assert.fail("nothing was to be posted"),
  fetchPaper = () => new Promise(() => {}) } = {}) {
  const ticks = { monotonic: 1_000, wall: 1_000_000 };
  const sent = [];
  const storage = {
    sheet: async (key) => stores.get(key) ?? stores.set(key, new MemoryStore()).get(key),
    session: async (key) => (row?.session.key === key ? row : null),
  };
  const tablet = new Tablet({
    clock: new Clock(() => ticks.monotonic, () => ticks.wall), storage, wall: () => ticks.wall, monotonic: () => ticks.monotonic, random: () => 0,
    later: (call) => call(), send: (text) => Boolean(sent.push(JSON.parse(text))), post, greet: () => sent.push("hello"), changed: () => {},
    fetchPaper,
  });
  return { tablet, stores, ticks, sent };
}

/** What a first life of the page leaves: one act acknowledged, one not. */
async function lived() {
  const { tablet, stores } = rig();
  await tablet.receive(STATE, 900);
  await tablet.act("answer", 1, "A");
  await tablet.receive({ t: "ack", seq: 1 }, null);
  await tablet.act("answer", 2, "B");
  tablet.show(2);
  return { stores, row: { session: structuredClone(tablet.session), mark: { now: STATE.now, wall: 1_000_000 } } };
}

test("a page that starts without network has its question, its answers, its end and its time", async () => {
  const { tablet, ticks } = rig(await lived());
  ticks.wall += 60_000;
  await tablet.resume(KEY);
  assert.deepEqual([tablet.question, tablet.status, tablet.number, tablet.fold.answers], [2, "COMPOSING", "K7-4302", { 1: "A", 2: "B" }]);
  assert.deepEqual([tablet.unsaved, tablet.remaining], [1, STATE.ends_at - STATE.now - 60_000]);
});
for (const [rule, stands] of [["STOP", true], ["RUN", false]]) {
  test(`while the next step of a case is awaited without network, time ${stands ? "stands still" : "runs"} (${rule})`, async () => {
    const { file } = golden("paper");
    const { tablet, ticks } = rig({ fetchPaper: async () => Uint8Array.from(atob(file), (char) => char.charCodeAt(0)).buffer });
    const paper = { digest: "0".repeat(64), bytes: 1, url: "/" };
    await tablet.receive({ ...STATE, paper, sitting: { ...STATE.sitting, offline_clock: rule } }, 900);
    await new Promise(setImmediate);
    const [step] = [...tablet.paper.entries.values()].filter(({ previous }) => previous);
    await tablet.act("seal", step.previous, "");
    tablet.becomes("offline");
    const before = tablet.remaining;
    for (const clock of ["monotonic", "wall"]) ticks[clock] += 60_000;
    assert.equal(before - tablet.remaining, stands ? 0 : 60_000);
    for (const clock of ["monotonic", "wall"]) ticks[clock] += 3_600_000;
    assert.equal(before - tablet.remaining, 3_660_000 - (stands ? 1_800_000 : 0));
    tablet.becomes("online");
    assert.equal(before - tablet.remaining, 3_660_000);
  });
}
test("without the fold that the server acknowledged, nothing is shown before it answers", async () => {
  const life = await lived();
  life.stores.get(KEY).base = null;
  const { tablet } = rig(life);
  await tablet.resume(KEY);
  assert.equal(tablet.status, null);
});
test("a status says nothing before the state of its sheet", async () => {
  const { tablet } = rig();
  await tablet.resume(KEY);
  const { now, status, ends_at } = STATE;
  await tablet.receive({ t: "status", now, status, ends_at }, null);
  assert.deepEqual([tablet.status, tablet.session], [null, null]);
  await tablet.receive(STATE, 900);
  assert.deepEqual([tablet.status, tablet.session.sitting], ["COMPOSING", STATE.sitting]);
});
test("what is kept of another sheet than the ticket's is not shown", async () => {
  const { tablet } = rig(await lived());
  await tablet.resume("3|A1-0001");
  assert.deepEqual([tablet.status, tablet.fold.answers], [null, {}]);
});
test("a state of another sheet leaves nothing of the one before", async () => {
  const { tablet, stores } = rig(await lived());
  await tablet.resume(KEY);
  await tablet.receive({ ...STATE, sheet: "A1-0001", digest: await genesis(3, "A1-0001") }, 900);
  assert.deepEqual([tablet.number, tablet.fold.answers, tablet.question, [...tablet.seen]], ["A1-0001", {}, 0, []]);
  await tablet.act("answer", 3, "C");
  assert.deepEqual(stores.get(KEY).ops.map(({ q }) => q), [2]);
});
test("a frame that was not even read has the tablet agree with the server again", async () => {
  const { tablet, sent } = rig();
  await tablet.receive(STATE, 900);
  await tablet.act("answer", 1, "A");
  await tablet.receive({ t: "refused", code: "too-fast", text: "…" }, null);
  assert.deepEqual([sent.at(-1), tablet.unsaved, tablet.refusal], ["hello", 1, null]);
});
test("an act is unsaved from the tap on", async () => {
  const { tablet } = rig();
  await tablet.receive(STATE, 900);
  const stored = tablet.act("answer", 1, "A");
  assert.deepEqual([tablet.unsaved, tablet.outbox.waiting, tablet.isStoring], [1, 0, true]);
  await stored;
  assert.deepEqual([tablet.unsaved, tablet.outbox.waiting, tablet.isStoring], [1, 1, false]);
});
test("an act kept apart for the jury is counted, without a refusal", async () => {
  const { tablet } = rig();
  await tablet.receive(STATE, 900);
  await tablet.act("answer", 1, "A");
  await tablet.receive({ t: "refused", code: "quarantined", text: "…", seq: 1 }, null);
  assert.deepEqual([tablet.quarantined, tablet.refusal, tablet.unsaved, tablet.session.quarantined], [1, null, 0, 1]);
});
test("a replaced tablet gives its acts to the jury, after as many failures as it takes", async () => {
  let failures = 3;
  const post = async (texts) => {
    if (failures-- > 0) throw new Error("offline");
    const apart = texts.map((text) => ({ t: "refused", code: "quarantined", text: "", seq: JSON.parse(text).seq }));
    return { status: 200, frames: [...apart, { t: "bye", code: "replaced", text: "" }] };
  };
  const { tablet } = rig({ ...(await lived()), post });
  await tablet.resume(KEY);
  tablet.becomes("ended", "replaced");
  assert.equal(tablet.isOver, false);
  await tablet.receive({ t: "pong", at: 1, now: 1, beat: 10 }, null);
  assert.deepEqual([tablet.quarantined, tablet.unsaved, tablet.isOver, tablet.isComposing], [1, 0, true, false]);
});
test("an act that was being stored when the sheet left goes to the jury as well", async () => {
  const post = async (texts) => {
    const apart = texts.map((text) => ({ t: "refused", code: "quarantined", text: "", seq: JSON.parse(text).seq }));
    return { status: 200, frames: [...apart, { t: "bye", code: "replaced", text: "" }] };
  };
  const { tablet } = rig({ post });
  await tablet.receive(STATE, 900);
  const stored = tablet.act("answer", 1, "A");
  tablet.ending = { code: "replaced", text: "" };
  tablet.becomes("ended", "replaced");
  await stored;
  await tablet.receive({ t: "pong", at: 1, now: 1, beat: 10 }, null);
  assert.deepEqual([tablet.quarantined, tablet.unsaved, tablet.isOver], [1, 0, true]);
});
test("a replaced tablet whose ticket has expired says that it is stuck, and keeps its acts", async () => {
  const { tablet } = rig({ ...(await lived()), post: async () => ({ status: 401, frames: [] }) });
  await tablet.resume(KEY);
  tablet.becomes("ended", "replaced");
  await tablet.receive({ t: "pong", at: 1, now: 1, beat: 10 }, null);
  assert.deepEqual([tablet.isStuck, tablet.unsaved, tablet.isOver], [true, 1, false]);
});
test("a sheet is over when it is handed in, not before everything is saved", async () => {
  const { tablet } = rig();
  await tablet.receive(STATE, 900);
  await tablet.act("submit", 0, "");
  assert.equal(tablet.isOver, false);
  await tablet.receive({ t: "ack", seq: 1 }, null);
  assert.equal(tablet.isOver, true);
});
test("who hands in without network sees what waits, not a message that says it is leaving", async () => {
  const { tablet } = rig();
  await tablet.receive({ ...STATE, status: "COMPOSING" }, 900);
  tablet.becomes("online");
  await tablet.act("submit", 0, "");
  assert.equal(screenOf(tablet, false), "saving");
  tablet.becomes("offline");
  assert.equal(screenOf(tablet, false), "receipt");
});
test("a place before a full server, then the state of the sheet", async () => {
  const { tablet } = rig();
  await tablet.receive({ t: "wait", place: 312, retry: 5_000 }, null);
  tablet.becomes("waiting");
  assert.deepEqual([tablet.place, screenOf(tablet, false)], [312, "waiting"]);
  await tablet.receive(STATE, 900);
  assert.deepEqual([tablet.place, screenOf(tablet, false)], [null, "lobby"]);
});
test("a tablet that was never answered says to wait, unless it was turned away", async () => {
  const { tablet } = rig();
  assert.equal(screenOf(tablet, false), "connecting");
  tablet.becomes("offline");
  assert.equal(screenOf(tablet, false), "unanswered");
  await tablet.receive({ t: "bye", code: "network", text: "Pas ce réseau." }, null);
  assert.equal(screenOf(tablet, false), "connecting");
});
test("who composes and must wait goes on composing", async () => {
  const { tablet } = rig(await lived());
  await tablet.resume(KEY);
  await tablet.receive({ t: "wait", place: 2, retry: 5_000 }, null);
  tablet.becomes("waiting");
  await tablet.act("answer", 3, "C");
  assert.deepEqual([tablet.unsaved, tablet.fold.answers[3]], [2, "C"]);
  assert.notEqual(screenOf(tablet, false), "waiting");
});
test("a tablet turned away for its network says why, and may come back", async () => {
  const { tablet } = rig();
  await tablet.receive({ t: "bye", code: "network", text: "Pas ce réseau." }, null);
  assert.deepEqual([tablet.turnedAway, tablet.ending, screenOf(tablet, false)], ["Pas ce réseau.", null, "connecting"]);
  await tablet.receive(STATE, 900);
  assert.equal(tablet.turnedAway, null);
});
