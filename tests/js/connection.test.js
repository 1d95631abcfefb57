import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../static/js/exam/connection.js";
import { golden } from "./golden.js";

const STATE = JSON.stringify(golden("server").accepted[0].frame);

class FakeSocket {
  readyState = 0;
  sent = [];
  isClosed = false;

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isClosed = true;
  }

  opens() {
    this.readyState = 1;
    this.onopen?.();
  }

  hears(text) {
    this.onmessage?.({ data: text });
  }

  closes(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** A connection whose time only moves when told. */
function rig() {
  const [sockets, links, frames] = [[], [], []];
  let now = 0;
  let skew = null;
  let planned = [];
  const timers = {
    set: (call, ms) => planned[planned.push({ call, at: now + ms }) - 1],
    clear: (timer) => (planned = planned.filter((other) => other !== timer)),
  };
  const pass = (ms) => {
    for (const end = now + ms; now < end; ) {
      now += 100;
      for (const timer of planned.filter(({ at }) => at <= now)) {
        timers.clear(timer);
        timer.call();
      }
    }
  };
  const connection = new Connection({
    open: () => sockets[sockets.push(new FakeSocket()) - 1],
    timers, monotonic: () => now, wall: () => 5_000_000 + now, random: () => 1, question: () => 7, waiting: () => 0, skew: () => skew,
    onFrame: (frame, sentAt) => {
      skew = -7;
      frames.push([frame.t, sentAt]);
    }, onLink: (...link) => links.push(link),
  });
  connection.start();
  return { connection, sockets, links, frames, pass, last: () => sockets.at(-1) };
}

function online() {
  const made = rig();
  made.last().opens();
  made.last().hears(STATE);
  return made;
}

test("the first frame is hello, and the state makes it online", () => {
  const { last, links, frames } = online();
  assert.deepEqual(last().sent[0], { t: "hello", v: 1, at: 5_000_000 });
  assert.deepEqual([links, frames], [[["online", undefined]], [["state", 0]]]);
});
test("what is known of the clocks is told before any act, and with each greeting", () => {
  const { last, connection } = online();
  assert.deepEqual(last().sent[1], { t: "ping", at: 5_000_000, q: 7, skew: -7 });
  connection.greet();
  last().hears(STATE);
  assert.deepEqual(last().sent.slice(2), [{ t: "hello", v: 1, at: 5_000_000, skew: -7 }]);
});
test("a heartbeat leaves every ten seconds with the question on screen", () => {
  const { last, pass, frames } = online();
  pass(11_500);
  const { at, q } = last().sent[2];
  last().hears(JSON.stringify({ t: "pong", at, now: 1, beat: 10 }));
  assert.deepEqual([q, frames.at(-1)], [7, ["pong", at - 5_000_000]]);
});
test("a late answer is slow, a silence of 25 seconds is a dead socket", () => {
  const { sockets, links, pass } = online();
  pass(14_500);
  assert.deepEqual(links.at(-1), ["slow", undefined]);
  pass(12_000);
  assert.deepEqual([sockets[0].isClosed, links.at(-1)], [true, ["offline", undefined]]);
  pass(1_000);
  assert.equal(sockets.length, 2);
});
test("a process that holds many is shown life less often, and waited for longer", () => {
  const { connection, last, links, pass, frames } = online();
  pass(10_500);
  last().hears(JSON.stringify({ t: "pong", at: last().sent.at(-1).at, now: 1, beat: 24 }));
  const count = last().sent.length;
  pass(23_000);
  assert.equal(last().sent.length, count);
  pass(1_500);
  assert.deepEqual([last().sent.length, frames.at(-1)[0]], [count + 1, "pong"]);
  pass(14_000);
  assert.equal(links.at(-1)[0], "slow");
  pass(1_500);
  assert.equal(links.at(-1)[0], "offline");
  connection.wake();
  last().opens();
  last().hears(STATE);
  pass(10_500);
  assert.deepEqual(last().sent.map(({ t }) => t), ["hello", "ping"]);
});
test("any other close reconnects, each time within a longer bound", () => {
  const { sockets, last, pass } = online();
  last().closes(4503);
  pass(400);
  assert.equal(sockets.length, 1);
  pass(200);
  assert.equal(sockets.length, 2);
  last().closes(1006);
  pass(900);
  assert.equal(sockets.length, 2);
  pass(200);
  assert.equal(sockets.length, 3);
});
for (const [code, reason] of [[4401, "ticket"], [4409, "replaced"], [4410, "version"]]) {
  test(`close ${code} is final: ${reason}`, () => {
    const { connection, sockets, links, last, pass } = online();
    last().closes(code);
    pass(60_000);
    connection.wake();
    assert.deepEqual([sockets.length, links.at(-1)], [1, ["ended", reason]]);
  });
}
test("a page seen again does not wait", () => {
  const { connection, sockets, last } = online();
  last().closes(1006);
  connection.wake();
  assert.equal(sockets.length, 2);
});
test("a page seen again lets a socket open, unless it takes long", () => {
  const { connection, sockets, pass } = rig();
  pass(500);
  connection.wake();
  assert.equal(sockets.length, 1);
  pass(1_000);
  connection.wake();
  assert.deepEqual([sockets.length, sockets[0].isClosed], [2, true]);
});
test("a page seen again asks for a sign of life", () => {
  const { connection, last } = online();
  connection.wake();
  assert.equal(last().sent.at(-1).t, "ping");
});
test("a page seen again has little patience with a silent socket", () => {
  const { connection, sockets, last, pass } = online();
  connection.wake();
  pass(3_000);
  last().hears(STATE);
  pass(9_000);
  assert.equal(sockets.length, 1);
  connection.wake();
  pass(6_000);
  assert.deepEqual([sockets[0].isClosed, sockets.length], [true, 2]);
});
test("a socket that never opens is given up", () => {
  const { sockets, pass } = rig();
  pass(12_500);
  assert.deepEqual([sockets.length, sockets[0].isClosed], [2, true]);
});
test("nothing is sent on a socket that is not open", () => {
  const { connection, last } = rig();
  assert.deepEqual([connection.send("x"), last().sent], [false, []]);
});
test("what is not of the protocol is ignored", () => {
  const { last, frames } = online();
  last().hears("{");
  assert.equal(frames.length, 1);
});
test("a socket that gives way to another one is said not to be up, until the server speaks again", () => {
  const { connection, last, links } = online();
  connection.start();
  last().opens();
  assert.deepEqual(links.at(-1), ["connecting", undefined]);
  last().hears(STATE);
  assert.deepEqual(links.at(-1), ["online", undefined]);
});
const WAIT = JSON.stringify({ t: "wait", place: 312, retry: 5_000 });
test("a server that is full is asked again when it says, and the tablet goes straight on when let in", () => {
  const { sockets, links, frames, last, pass } = rig();
  last().opens();
  last().hears(WAIT);
  last().closes(4503);
  assert.deepEqual([links.at(-1), frames.at(-1)], [["waiting", undefined], ["wait", null]]);
  pass(4_900);
  assert.equal(sockets.length, 1);
  pass(200);
  assert.equal(sockets.length, 2);
  last().opens();
  last().hears(STATE);
  assert.deepEqual(links.slice(-2), [["waiting", undefined], ["online", undefined]]);
});
test("it says in how long it tries again", () => {
  const { connection, last, pass } = rig();
  assert.equal(connection.left, 0);
  last().closes(1006);
  assert.equal(connection.left, 500);
  pass(200);
  assert.equal(connection.left, 300);
  pass(300);
  assert.equal(connection.left, 0);
});
test("a page seen again does not knock before its turn", () => {
  const { connection, sockets, last } = rig();
  last().opens();
  last().hears(WAIT);
  last().closes(4503);
  connection.wake();
  assert.equal(sockets.length, 1);
});
test("a wait that is over is forgotten: the next loss is one of the network", () => {
  const { links, last, pass } = rig();
  last().opens();
  last().hears(WAIT);
  last().closes(4503);
  pass(5_100);
  last().closes(1006);
  assert.deepEqual(links.at(-1), ["offline", undefined]);
});
