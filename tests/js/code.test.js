import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { scannedCode } from "../../static/js/lib/code.js";

afterEach(() => delete globalThis.location);

test("the code of a slip is read from the fragment, and what is no code is none", () => {
  for (const [hash, code] of [["#K7Q2-9M4T", "K7Q2-9M4T"], ["#K7%20Q2", "K7 Q2"], ["", ""], ["#50%", ""]]) {
    globalThis.location = { hash };
    assert.equal(scannedCode(), code);
  }
});
