import assert from "node:assert/strict";
import { test } from "node:test";
import { FramesSocket, poster } from "../../static/js/exam/frames.js";
import { hello, ping } from "../../static/js/exam/protocol.js";
import { golden } from "./golden.js";
import { heldTime } from "./time.js";

const STATE = golden("server").accepted[0].frame;
const op = (seq) => JSON.stringify({ t: "op", seq });

/** A way by HTTP to a server that answers what it is told. */
function rig(answer = () => ({ status: 200, frames: [STATE] })) {
  const { timers, pass } = heldTime();
  const [posts, heard, closes] = [[], [], []];
  let opened = 0;
  const post = async (texts) => {
    posts.push(texts);
    return answer(texts);
  };
  const socket = new FramesSocket({ post, timers, random: () => 0.5 });
  Object.assign(socket, {
    onopen: () => opened++, onmessage: ({ data }) => heard.push(JSON.parse(data)), onclose: ({ code }) => closes.push(code),
  });
  return { socket, pass, posts, heard, closes, opened: () => opened };
}

test("it opens when the server has answered an empty request", async () => {
  const { socket, pass, posts, opened } = rig();
  await pass(100);
  assert.deepEqual([posts, socket.readyState, opened()], [[[]], 1, 1]);
});
test("a state that was asked for is given whole, another one as a status", async () => {
  const { socket, pass, heard } = rig();
  await pass(100);
  const { now, status, ends_at, keys } = STATE;
  assert.deepEqual(heard, [{ t: "status", now, status, ends_at, keys }]);
  socket.send(hello(5, null));
  await pass(100);
  assert.deepEqual(heard[1], STATE);
});
test("what is to be said leaves at once, together; else it asks every two seconds", async () => {
  const { socket, pass, posts } = rig((texts) => ({ status: 200, frames: [STATE, ...texts.map((text) => ({ t: "ack", seq: JSON.parse(text).seq }))] }));
  await pass(100);
  socket.send(op(1));
  socket.send(op(2));
  await pass(100);
  assert.deepEqual(posts[1], [op(1), op(2)]);
  await pass(1_900);
  assert.equal(posts.length, 2);
  await pass(200);
  assert.deepEqual(posts[2], []);
});
for (const [name, answer, code] of [
  ["a ticket that is worth nothing", { status: 401, frames: [] }, 4401],
  ["an error of the server", { status: 502, frames: [] }, 1006],
  ["a farewell to a replaced tablet", { status: 200, frames: [{ t: "bye", code: "replaced", text: "" }] }, 4409],
  ["a farewell of a full server", { status: 200, frames: [{ t: "bye", code: "busy", text: "" }] }, 4503],
  ["an answer without a state", { status: 200, frames: [{ t: "refused", code: "busy", text: "" }] }, 4503],
]) {
  test(`${name} closes it with ${code}`, async () => {
    const { socket, pass, closes, posts } = rig(() => answer);
    await pass(10_000);
    assert.deepEqual([closes, socket.readyState, posts.length], [[code], 3, 1]);
  });
}
test("a network that fails closes it", async () => {
  const { closes, pass } = rig(() => Promise.reject(new Error("offline")));
  await pass(100);
  assert.deepEqual(closes, [1006]);
});
test("an op of which nothing is said closes it: nothing may stay in flight for ever", async () => {
  const { socket, pass, closes } = rig();
  await pass(100);
  socket.send(ping(1, 0, null));
  await pass(100);
  assert.deepEqual(closes, []);
  socket.send(op(1));
  await pass(100);
  assert.deepEqual(closes, [4503]);
});
test("once closed it says and asks nothing", async () => {
  const { socket, pass, posts, closes, heard } = rig();
  await pass(100);
  socket.close();
  await pass(10_000);
  assert.deepEqual([posts.length, closes, heard.length], [1, [], 1]);
});
test("each request tells the tablet's clock first", async (context) => {
  let body = null;
  context.mock.method(globalThis, "fetch", async (_url, asked) => {
    ({ body } = asked);
    return { status: 200, json: async () => [STATE] };
  });
  assert.deepEqual(await poster({ wall: () => 7.5, skew: () => -3 })([op(1)]), { status: 200, frames: [STATE] });
  assert.deepEqual(JSON.parse(body), [JSON.parse(hello(7, -3)), { t: "op", seq: 1 }]);
});
