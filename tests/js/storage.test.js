import assert from "node:assert/strict";
import { test } from "node:test";

import { Storage } from "../../static/js/exam/storage.js";

const VALUE = "here";

/** A factory whose openings end as told, one after the other, then the last one for ever; it tells what was asked of it. */
function factoryThat(...endings) {
  const asked = [];
  const settle = (request, error) =>
    queueMicrotask(() => {
      if (error) {
        request.error = Object.assign(new Error(error), { name: error });
        request.onerror();
      } else request.onsuccess();
    });
  const database = {
    transaction: () => ({
      objectStore: () => ({
        get: () => {
          const request = { result: VALUE };
          settle(request);
          return request;
        },
      }),
    }),
  };
  const end = (name, result) => {
    asked.push(name);
    const request = { result };
    const ending = name === "delete" ? "" : endings.length > 1 ? endings.shift() : endings[0];
    settle(request, ending);
    return request;
  };
  return { asked, open: () => end("open", database), deleteDatabase: () => end("delete") };
}

test("a database that opens late is not thrown away", async () => {
  const factory = factoryThat("UnknownError", "UnknownError", "UnknownError", "");
  assert.equal(await new Storage(factory).paper("a"), VALUE);
  assert.deepEqual(factory.asked, ["open", "open", "open", "open"]);
});

test("a database that never opens is made anew", async () => {
  const factory = factoryThat("UnknownError", "UnknownError", "UnknownError", "UnknownError", "");
  assert.equal(await new Storage(factory).paper("a"), VALUE);
  assert.deepEqual(factory.asked, ["open", "open", "open", "open", "delete", "open"]);
});

test("a full disk throws nothing away, and is asked again, once at a time", async () => {
  const full = "QuotaExceededError";
  const factory = factoryThat(full, full, full, full, "");
  const storage = new Storage(factory);
  await assert.rejects(storage.paper("a"), { name: full });
  assert.equal(await storage.paper("a"), VALUE);
  assert.deepEqual(factory.asked, ["open", "open", "open", "open", "open"]);
});
