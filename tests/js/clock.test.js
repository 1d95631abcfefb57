import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE_MS, CAP_MS, delay } from "../../static/js/exam/backoff.js";
import { Clock, duration, markCrossed, remaining } from "../../static/js/exam/clock.js";

const SERVER = 1_782_307_800_000;

/** A tablet whose counter is `ticks.now`, and the server's time when it is 0. */
function rig() {
  const ticks = { now: 1_000, wall: SERVER + 90_000 };
  const clock = new Clock(() => ticks.now, () => ticks.wall + ticks.now);
  /** @param {number} up @param {number} down @param {number} [truth] server's time when the counter is 0 */
  const exchange = (up, down, truth = SERVER) => {
    const sentAt = ticks.now;
    ticks.now += up + down;
    clock.sample(truth + sentAt + up, sentAt);
  };
  return { ticks, clock, exchange };
}

test("the clock is not set before the first sample", () => {
  const { clock } = rig();
  assert.equal(clock.isSet, false);
  assert.ok(Number.isNaN(clock.now()));
});
test("the clock follows the sample with the shortest round trip", () => {
  const { ticks, clock, exchange } = rig();
  exchange(900, 100);
  exchange(10, 10);
  exchange(100, 700);
  assert.equal(clock.now(), SERVER + ticks.now);
  assert.equal(clock.rtt, 20);
});
test("the least that the clocks are apart is what the quickest answer shows, whole milliseconds", () => {
  const { clock, exchange } = rig();
  assert.equal(clock.skew, null);
  exchange(10, 900.5);
  assert.equal(clock.skew, -90_901);
  exchange(900, 20);
  exchange(10, 300);
  assert.equal(clock.skew, -90_020);
});
test("the clock starts again from a sample that a sleep made irreconcilable", () => {
  const { ticks, clock, exchange } = rig();
  exchange(10, 10);
  exchange(30, 30, SERVER + 600_000);
  assert.equal(clock.now(), SERVER + 600_000 + ticks.now);
});
test("the clock keeps the best of the last eight samples only", () => {
  const { clock, exchange } = rig();
  exchange(1, 1);
  for (let turn = 0; turn < 8; turn++) exchange(40, 40);
  assert.equal(clock.rtt, 80);
});

for (const [ms, text, tone] of [
  [3 * 3_600_000, "3 h 00", null], [6_120_000, "1 h 42", null], [840_000, "14 min", null], [300_001, "6 min", null],
  [300_000, "5 min 00", "warn"], [290_000, "4 min 50", "warn"], [60_000, "1 min 00", "warn"], [48_000, "0 min 48", "danger"],
  [-5, "0 min 00", "danger"],
]) {
  test(`${ms} ms left reads ${text}`, () => assert.deepEqual(remaining(ms), { text, tone }));
}
test("a time reckoned from the wall clock holds until the server tells its own", () => {
  const { clock, exchange, ticks } = rig();
  assert.deepEqual([clock.isKnown, clock.now()], [false, Number.NaN]);
  clock.guess(5_000);
  ticks.now += 250;
  assert.deepEqual([clock.isKnown, clock.isSet, clock.rtt, clock.now()], [true, false, null, 5_250]);
  exchange(10, 10);
  assert.deepEqual([clock.isSet, clock.now()], [true, SERVER + ticks.now]);
});
test("a duration is rounded up to the minute", () => assert.equal(duration(59_999 + 3_600_000), "1 h 01"));
test("each minute mark is told once, and only the nearest after a sleep", () => {
  assert.equal(markCrossed(600_001, 600_000), 10);
  assert.equal(markCrossed(600_000, 599_750), null);
  assert.equal(markCrossed(1_900_000, 200_000), 5);
  assert.equal(markCrossed(Number.NaN, 200_000), null);
  assert.equal(markCrossed(61_000, -1), null);
});
test("reconnections wait a random time below a doubling, capped bound", () => {
  assert.equal(delay(0, () => 0), 0);
  for (let attempt = 0; attempt < 100; attempt++) {
    assert.equal(delay(attempt, () => 1), Math.min(CAP_MS, BASE_MS * 2 ** attempt));
  }
});
