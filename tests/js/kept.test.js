import assert from "node:assert/strict";
import { test } from "node:test";
import { blank } from "../../static/js/exam/fold.js";
import { keptFold, keptOps, keptSession, reckoned, sheetNamed } from "../../static/js/exam/kept.js";

const DIGEST = "a".repeat(64);
const OP = { seq: 2, kind: "answer", q: 7, value: "AC", at: 5, digest: DIGEST };
const SITTING = { id: 3, title: "Épreuve 1", starts_at: 1, duration: 10_800, offline_clock: "RUN" };
const SESSION = {
  key: "3|K7-4302", sitting: SITTING, number: "K7-4302", status: "COMPOSING", endsAt: 9, paper: null, keys: { 0: "AAAA" },
  question: 7, seen: [7], savedAt: null, quarantined: 0,
};
const MARK = { now: 1_000, wall: 400 };

test("a fold is believed when it is whole", () => {
  assert.deepEqual(keptFold(blank(DIGEST)), blank(DIGEST));
  for (const change of [{ seq: "2" }, { digest: "x" }, { answers: null }, { answers: { 7: 1 } }, { sealed: [-1] }, { flags: {} }, { submitted: 0 }]) {
    assert.equal(keptFold({ ...blank(DIGEST), ...change }), null);
  }
});
test("rows that are no ops are left out, the others come in order", () => {
  const first = { ...OP, seq: 1 };
  const strange = [null, 7, {}, { ...OP, kind: "dance" }, { ...OP, at: 0.5 }, { ...OP, digest: undefined }];
  assert.deepEqual(keptOps([OP, ...strange, first]), [first, OP]);
});
test("a session is believed when it is whole and of the sheet that the ticket names", () => {
  const row = { session: SESSION, mark: MARK };
  assert.deepEqual(keptSession(row, "3|K7-4302"), row);
  assert.equal(keptSession(row, "3|A1-0001"), null);
  assert.equal(keptSession({ ...row, mark: { now: 1 } }, "3|K7-4302"), null);
  assert.equal(keptSession(undefined, "3|K7-4302"), null);
  for (const change of [{ status: null }, { endsAt: "9" }, { keys: [] }, { question: -1 }, { seen: [null] }, { savedAt: 1.5 }, { paper: {} }, { sitting: { ...SITTING, offline_clock: "FLY" } }]) {
    assert.equal(keptSession({ ...row, session: { ...SESSION, ...change } }, "3|K7-4302"), null);
  }
});
test("the server's time is reckoned from the wall clock, and never goes back", () => {
  assert.deepEqual([reckoned(MARK, 650), reckoned(MARK, 100)], [1_250, 1_000]);
});
test("the sheet is named by a cookie of its own", () => {
  assert.equal(sheetNamed("theme=dark; ecni_sheet=3|K7-4302"), "3|K7-4302");
  assert.equal(sheetNamed("xecni_sheet=3|K7-4302"), null);
});
