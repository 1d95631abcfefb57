import assert from "node:assert/strict";
import { test } from "node:test";
import { act, call, hello, parse, ping, ready } from "../../static/js/exam/protocol.js";
import { golden } from "./golden.js";

const WRITERS = {
  hello: ({ at, skew = null, waiting }) => hello(at, skew, waiting), op: (frame) => act(frame), ready: ({ paper }) => ready(paper), 
  ping: ({ at, q, skew = null }) => ping(at, q, skew),
  call: ({ raised }) => call(raised),
};

for (const { name, frame } of golden("tablet").accepted) {
  test(`the tablet writes ${name}`, () => assert.deepEqual(JSON.parse(WRITERS[frame.t](frame)), frame));
}
for (const { name, frame } of golden("server").accepted) {
  test(`the tablet reads ${name}`, () => assert.deepEqual(parse(JSON.stringify(frame)), frame));
}
for (const { name, text } of golden("server").ignored) {
  test(`the tablet ignores ${name}`, () => assert.equal(parse(text), null));
}
test("the tablet ignores what is not a text", () => assert.equal(parse(new ArrayBuffer(3)), null));
