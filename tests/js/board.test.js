// A console's socket, on a fake one and a fake clock: what is said when the server falls silent, and that it comes back.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { BoardSocket } from "../../static/js/centre/board.js";

class FakeSocket extends EventTarget {
  static OPEN = 1;
  static made = [];
  readyState = 1;
  sent = [];

  constructor() {
    super();
    FakeSocket.made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  /** As a browser whose network is gone: nothing is heard of it for a long time. */
  close() {
    this.readyState = 2;
  }

  says(message) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
  }

  ends(code) {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

globalThis.WebSocket = FakeSocket;
globalThis.location = { href: "https://concours.example.fr/salle/1/" };

function console_() {
  const told = [];
  const socket = new BoardSocket("/ws/salle/1/", {
    board: () => told.push("board"),
    answer: ({ id }) => told.push(`answer ${id}`),
    lost: () => told.push("lost"),
    live: (isLive, why = "cut") => told.push(isLive ? "live" : why),
  });
  return { socket, told, wire: () => FakeSocket.made.at(-1) };
}

beforeEach(() => {
  FakeSocket.made = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

test("a board is live; one that waits is, until it is said to be dated", () => {
  const { told, wire } = console_();
  wire().says({ type: "board" });
  wire().says({ type: "alive" });
  wire().says({ type: "stale", text: "dated" });
  wire().says({ type: "answer", id: 3 });
  assert.deepEqual(told, ["board", "live", "dated", "answer 3"]);
});

test("a socket that falls silent is given up, said, and made again", () => {
  const { socket, told, wire } = console_();
  const dead = wire();
  dead.says({ type: "board" });
  mock.timers.tick(7_900);
  dead.says({ type: "board" });
  mock.timers.tick(7_900);
  assert.equal(told.includes("lost"), false);
  mock.timers.tick(200);
  assert.deepEqual([told.slice(-2), socket.isOpen], [["cut", "lost"], false]);
  mock.timers.tick(2_000);
  assert.equal(FakeSocket.made.length, 2);
  dead.says({ type: "board" });
  dead.ends(1006);
  assert.equal(told.filter((word) => word === "lost").length, 1);
  wire().says({ type: "board" });
  assert.deepEqual([told.at(-1), socket.isOpen], ["live", true]);
});

test("a board that is not this person's any more is not asked for again", () => {
  const { wire } = console_();
  wire().ends(4404);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.made.length, 1);
});
