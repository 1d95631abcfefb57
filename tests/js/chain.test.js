import assert from "node:assert/strict";
import { test } from "node:test";
import { chained, genesis, receiptCode } from "../../static/js/exam/chain.js";
import { golden } from "./golden.js";

const { genesis: starts, ops, receipt } = golden("chain");

for (const { sitting, sheet, digest } of starts) {
  test(`a sheet's chain starts from its sitting and number: ${sheet}`, async () => assert.equal(await genesis(sitting, sheet), digest));
}
test("each op chains to the one before it, as the server computes it", async () => {
  let head = { seq: 0, digest: starts[0].digest };
  for (const op of ops) {
    head = await chained(head, op);
    assert.deepEqual(head, op);
  }
});
test("the receipt is the head of the chain in eight groups", () => assert.equal(receiptCode(ops.at(-1).digest), receipt));
