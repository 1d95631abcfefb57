import assert from "node:assert/strict";
import { test } from "node:test";
import { Paper, PaperUnreadable, fromBase64 } from "../../static/js/exam/paper.js";
import { Reader } from "../../static/js/exam/reader.js";
import { golden } from "./golden.js";

const { file, released, opening, steps } = golden("paper");
const bytes = () => fromBase64(file).buffer;

function reader(keys) {
  const made = new Reader();
  made.paper = new Paper(bytes());
  made.learn(keys);
  return made;
}

test("the header gives the questions in order", () => {
  const { entries } = new Paper(bytes());
  assert.deepEqual([...entries.keys()], [1, 2, 3, 4]);
  assert.equal(entries.get(4).previous, 3);
});
test("the opening key opens all that is readable from the start, and only that", async () => {
  const made = reader({ 0: released[0] });
  assert.deepEqual(await made.paper.opening(released[0]), opening);
  for (const number of [1, 2, 3]) assert.deepEqual(await made.step(number), steps[number]);
  assert.equal(made.holds(4), false);
});
test("the next step opens with its own key", async () => {
  const made = reader(released);
  assert.equal(made.holds(4), true);
  assert.deepEqual(await made.step(4), steps[4]);
});
test("a key opens no other question", () => assert.rejects(new Paper(bytes()).step(1, released[4])));
test("nothing is held before the first key", () => assert.equal(reader({}).holds(1), false));
test("a changed byte is refused", async () => {
  const changed = fromBase64(file);
  changed[changed.length - 1] ^= 1;
  await assert.rejects(new Paper(changed.buffer).opening(released[0]));
});
for (const [name, broken] of [
  ["an empty file", new ArrayBuffer(0)], ["another format", new TextEncoder().encode("PK345678abcdef").buffer],
  ["a cut header", bytes().slice(0, 40)],
]) {
  test(`${name} is refused`, () => assert.throws(() => new Paper(broken), PaperUnreadable));
}
