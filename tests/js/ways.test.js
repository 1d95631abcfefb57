import assert from "node:assert/strict";
import { test } from "node:test";
import { Ways } from "../../static/js/exam/ways.js";
import { heldTime } from "./time.js";

class FakeSocket extends EventTarget {
  sent = [];

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.dispatchEvent(new Event("close"));
  }

  speaks() {
    this.dispatchEvent(new Event("open"));
    this.dispatchEvent(new Event("message"));
  }
}

function rig() {
  const { timers, pass } = heldTime();
  const [sockets, posts] = [[], []];
  let better = 0;
  const ways = new Ways({
    socket: () => sockets[sockets.push(new FakeSocket()) - 1],
    frames: () => posts[posts.push({ readyState: 0, hasOpened: false }) - 1],
    timers, wall: () => 7.5, random: () => 1, better: () => better++,
  });
  const tries = (count) => Array.from({ length: count }, () => (ways.open() instanceof FakeSocket ? "socket" : "http"));
  return { ways, sockets, posts, pass, tries, better: () => better };
}

/** A page whose frames travel by HTTP. */
function byHttp() {
  const made = rig();
  made.tries(3);
  Object.assign(made.posts[0], { readyState: 1, hasOpened: true });
  return made;
}

test("two websockets without a frame, then HTTP; while nothing answers, one and the other", () => {
  assert.deepEqual(rig().tries(6), ["socket", "socket", "http", "socket", "http", "socket"]);
});
test("a websocket that has spoken makes the ones before it forgotten", () => {
  const { ways, sockets, tries } = rig();
  ways.open();
  ways.open();
  sockets[1].speaks();
  assert.deepEqual(tries(3), ["socket", "socket", "http"]);
});
test("HTTP that has answered is taken again after a failure", () => {
  const { ways, posts, tries } = byHttp();
  assert.equal(ways.isHttp, true);
  posts[0].readyState = 3;
  assert.deepEqual([ways.isHttp, tries(2)], [false, ["http", "socket"]]);
});
test("from HTTP, a websocket is tried on the side, and taken when it speaks", async () => {
  const { sockets, pass, better, tries } = byHttp();
  await pass(5_100);
  assert.equal(sockets.length, 3);
  sockets[2].speaks();
  assert.deepEqual([sockets[2].sent, better()], [[{ t: "hello", v: 1, at: 7 }], 1]);
  assert.deepEqual(tries(1), ["socket"]);
});
test("tries on the side that fail become rare, and stop with the way they are beside", async () => {
  const { sockets, posts, pass, better } = byHttp();
  await pass(5_100);
  sockets[2].close();
  await pass(9_000);
  assert.equal(sockets.length, 4);
  await pass(10_100);
  await pass(16_500);
  assert.equal(sockets.length, 4);
  await pass(1_000);
  assert.equal(sockets.length, 5);
  posts[0].readyState = 3;
  sockets[4].close();
  await pass(200_000);
  assert.deepEqual([sockets.length, better()], [5, 0]);
});
test("from HTTP, a websocket that is made to wait is not taken", async () => {
  const { sockets, pass, better } = byHttp();
  await pass(5_100);
  const event = new Event("message");
  event.data = JSON.stringify({ t: "wait", place: 3, retry: 2_000 });
  sockets.at(-1).dispatchEvent(event);
  assert.equal(better(), 0);
});
