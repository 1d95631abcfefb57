import assert from "node:assert/strict";
import { test } from "node:test";
import { blank } from "../../static/js/exam/fold.js";
import { Paper, fromBase64 } from "../../static/js/exam/paper.js";
import { counts, groups, neighbour, openedBy, stateOf, unsealed } from "../../static/js/exam/progress.js";
import { golden } from "./golden.js";

const { entries } = new Paper(fromBase64(golden("paper").file).buffer);
const fold = (changes = {}) => ({ ...blank(""), ...changes });

test("a step is closed until the one before it is final", () => {
  assert.equal(stateOf(entries.get(4), fold({ answers: { 3: "A" } }), new Set()), "closed");
  assert.equal(stateOf(entries.get(4), fold({ sealed: [3] }), new Set()), "new");
});
test("a cell says its state in words and in shape", () => {
  const [isolated, dossier] = groups(entries, fold({ answers: { 1: "A", 2: "" }, flags: [1] }), new Set([1, 2]));
  assert.deepEqual(isolated.cells.map(({ state, flagged }) => [state, flagged]), [["answered", true], ["seen", false]]);
  assert.equal(isolated.cells[0].label, "Question 1, répondue, signalée");
  assert.deepEqual([isolated.title, dossier.title, dossier.progressive], ["Questions isolées", "Dossier 1", true]);
});
test("the counts cover every question once", () => {
  const now = fold({ answers: { 1: "A", 3: "B" }, sealed: [3] });
  const count = counts(groups(entries, now, new Set()).flatMap(({ cells }) => cells), now);
  assert.equal(count.open + count.seen + count.unseen + count.locked + count.closed, count.total);
  assert.deepEqual([count.answered, count.locked, count.unseen], [2, 1, 2]);
});
test("previous and next skip what is closed", () => {
  assert.equal(neighbour(entries, fold(), 2, 1), 3);
  assert.equal(neighbour(entries, fold(), 3, 1), null);
  assert.equal(neighbour(entries, fold({ sealed: [3] }), 3, 1), 4);
  assert.equal(neighbour(entries, fold(), 1, -1), null);
});
test("sealing a step opens the next one of the same case only", () => {
  assert.equal(openedBy(entries, 3), 4);
  assert.equal(openedBy(entries, 4), null);
  assert.equal(openedBy(entries, 1), null);
});
test("the steps of a case that are not final are told", () => {
  const [, dossier] = groups(entries, fold({ sealed: [3] }), new Set());
  assert.deepEqual(unsealed(dossier).map(({ number }) => number), [4]);
});
