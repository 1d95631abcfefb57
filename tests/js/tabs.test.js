import assert from "node:assert/strict";
import { test } from "node:test";
import { alone } from "../../static/js/exam/tabs.js";
import { heldTime } from "./time.js";

/** Locks of one name, as a browser gives them: one holder, the others wait their turn. */
class FakeLocks {
  #turn = Promise.resolve();

  request(_name, held) {
    return (this.#turn = this.#turn.then(held));
  }
}

test("the first page is alone, and never told to wait", async () => {
  const { timers, pass } = heldTime();
  let waits = 0;
  await alone(new FakeLocks(), () => waits++, timers.set);
  await pass(5_000);
  assert.equal(waits, 0);
});
test("the next page is told, and takes over when the first one goes", async () => {
  const { timers, pass } = heldTime();
  const locks = new FakeLocks();
  let [waits, isAlone, close] = [0, false, null];
  locks.request("ecni-copie", () => new Promise((resolve) => (close = resolve)));
  alone(locks, () => waits++, timers.set).then(() => (isAlone = true));
  await pass(600);
  assert.deepEqual([waits, isAlone], [0, false]);
  await pass(200);
  assert.deepEqual([waits, isAlone], [1, false]);
  close();
  await pass(100);
  assert.equal(isAlone, true);
});
test("a browser without locks has one page", () => alone(undefined, assert.fail, assert.fail));
