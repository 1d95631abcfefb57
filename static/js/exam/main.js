// The page put together: the tablet, its connection, its views. Everything drawn comes from the tablet's state, in `render`.

import { byId } from "../lib/dom.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { verifiedPaper } from "./download.js";
import { renderNotice, renderReceipt } from "./ending.js";
import { Header } from "./header.js";
import { renderLobby } from "./lobby.js";
import { Navigator } from "./navigator.js";
import { renderNotes } from "./notes.js";
import { QuestionView } from "./question.js";
import { renderReview, watchSubmit } from "./review.js";
import { screenOf, showScreen } from "./screens.js";
import { watchSeal } from "./seal.js";
import { Storage } from "./storage.js";
import { Tablet } from "./tablet.js";
import { watchZoom } from "./zoom.js";

const TICK_MS = 250;

const monotonic = () => performance.now();
const wall = () => Date.now();
const { random } = Math;
const storage = new Storage(indexedDB);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let isReviewing = false;
let isPlanned = false;
let isForgotten = false;

const tablet = new Tablet({
  clock: new Clock(monotonic), storage, wall, monotonic, random,
  later: (call, ms) => setTimeout(call, ms),
  send: (text) => connection.send(text),
  greet: () => connection.greet(),
  changed: plan,
  fetchPaper: (place, told) => verifiedPaper(place, { storage, fetch: (...asked) => fetch(...asked), random, wait, told }),
});

const connection = new Connection({
  open: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/copie/`),
  timers: { set: (call, ms) => setTimeout(call, ms), clear: (timer) => clearTimeout(timer) },
  monotonic, wall, random,
  question: () => (tablet.isComposing ? tablet.question : 0),
  onFrame: (frame, sentAt) => tablet.receive(frame, sentAt),
  onLink: (link, reason) => tablet.becomes(link, reason),
});

const say = (text) => (byId("announcer").textContent = text);
const header = new Header(tablet, say);
const question = new QuestionView(tablet, () => review(true));
const cells = new Navigator(tablet, go);

const RENDERERS = {
  connecting: () => {},
  lobby: () => renderLobby(tablet),
  question: () => {
    if (!tablet.question) return tablet.show(1);
    question.render();
    cells.render();
  },
  review: () => renderReview(tablet, go),
  paused: () => {},
  saving: () => {},
  receipt: () => renderReceipt(tablet),
  notice: () => renderNotice(tablet),
};

/** Draw once for a burst of changes. */
function plan() {
  if (isPlanned) return;
  isPlanned = true;
  queueMicrotask(() => {
    isPlanned = false;
    render();
  });
}

function render() {
  const screen = screenOf(tablet, isReviewing);
  const isNew = showScreen(screen);
  header.render();
  renderNotes(tablet, monotonic(), plan);
  RENDERERS[screen]();
  if (isNew) byId("main").focus({ preventScroll: true });
  if (screen === "receipt" && tablet.status !== "COMPOSING" && !tablet.outbox.waiting) forget();
}

/** The next candidate of this tablet must find nothing here. */
function forget() {
  if (isForgotten) return;
  isForgotten = true;
  storage.clear().catch(() => {}); // what cannot be cleared now is cleared when another sheet opens
}

/** @param {number} number */
function go(number) {
  isReviewing = false;
  tablet.show(number);
}

/** @param {boolean} isWanted */
function review(isWanted) {
  isReviewing = isWanted;
  plan();
}

byId("back").addEventListener("click", () => review(false));
byId("print-button").addEventListener("click", () => print());
watchSeal(tablet, question);
watchSubmit(tablet);
watchZoom();
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());
addEventListener("online", () => connection.wake());
setInterval(plan, TICK_MS);
connection.start();
