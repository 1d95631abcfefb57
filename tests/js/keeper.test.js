import assert from "node:assert/strict";
import { test } from "node:test";
import { Keeper } from "../../static/js/exam/keeper.js";

function rig() {
  const rows = [];
  const made = { rows, now: 0, isBroken: false };
  made.keeper = new Keeper({
    save: async (row) => {
      if (made.isBroken) throw new Error("full");
      rows.push(row);
    },
    monotonic: () => made.now, wall: () => 400.5,
  });
  made.keep = (session) => made.keeper.keep(session, { now: () => 1_000.7 });
  return made;
}

test("what the screen needs is written when it changes, with both clocks", async () => {
  const { rows, keep } = rig();
  await keep(null);
  await keep({ question: 1 });
  await keep({ question: 1 });
  await keep({ question: 2 });
  const mark = { now: 1_000, wall: 400 };
  assert.deepEqual(rows, [{ session: { question: 1 }, mark }, { session: { question: 2 }, mark }]);
});
test("a storage that failed is tried again five seconds later", async () => {
  const made = rig();
  made.isBroken = true;
  await made.keep({ question: 1 });
  made.isBroken = false;
  await made.keep({ question: 1 });
  assert.equal(made.rows.length, 0);
  made.now = 5_000;
  await made.keep({ question: 1 });
  assert.equal(made.rows.length, 1);
});
test("what was wiped is written again; nothing is after the end", async () => {
  const { rows, keep, keeper } = rig();
  await keep({ question: 1 });
  keeper.lose();
  await keep({ question: 1 });
  assert.equal(rows.length, 2);
  keeper.end();
  await keep({ question: 2 });
  assert.equal(rows.length, 2);
});
