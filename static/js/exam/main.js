// The page put together: the tablet, its connection, its views. Everything drawn comes from the tablet's state, in `render`.

import { forgetCode } from "../lib/code.js";
import { byId } from "../lib/dom.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { verifiedPaper } from "./download.js";
import { renderNotice, renderReceipt } from "./ending.js";
import { FramesSocket, poster } from "./frames.js";
import { Header } from "./header.js";
import { Keeper } from "./keeper.js";
import { sheetNamed } from "./kept.js";
import { renderConnecting, renderLobby, renderUnanswered, renderWaiting } from "./lobby.js";
import { keepOnly } from "./marks.js";
import { Navigator } from "./navigator.js";
import { renderNotes } from "./notes.js";
import { QuestionView } from "./question.js";
import { renderReview, watchSubmit } from "./review.js";
import { screenOf, showScreen } from "./screens.js";
import { watchSeal } from "./seal.js";
import { Storage } from "./storage.js";
import { alone } from "./tabs.js";
import { Tablet } from "./tablet.js";
import { Ways } from "./ways.js";
import { watchZoom } from "./zoom.js";

const TICK_MS = 250;
const STORE_AGAIN_MS = 10_000;

const monotonic = () => performance.now();
const wall = () => Date.now();
const { random } = Math;
const storage = new Storage(indexedDB);
const later = (call, ms) => setTimeout(call, ms);
const wait = (ms) => new Promise((resolve) => later(resolve, ms));
const timers = { set: later, clear: (timer) => clearTimeout(timer) };

let isReviewing = false;
let isPlanned = false;
let isForgotten = false;

const clock = new Clock(monotonic, wall);
const skew = () => clock.skew;
const post = poster({ wall, skew });

const tablet = new Tablet({
  clock, storage, wall, monotonic, random, later,
  send: (text) => connection.send(text),
  post,
  greet: () => connection.greet(),
  changed: plan,
  fetchPaper: (place, told) => verifiedPaper(place, { storage, fetch: (...asked) => fetch(...asked), random, wait, told }),
});

const ways = new Ways({
  socket: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/copie/`),
  frames: () => new FramesSocket({ post, timers, random }),
  timers, wall, random,
  better: () => connection.start(),
});

const connection = new Connection({
  open: () => ways.open(),
  timers, monotonic, wall, random, skew,
  question: () => (tablet.isComposing ? tablet.question : 0),
  waiting: () => tablet.waiting,
  onFrame: (frame, sentAt) => {
    tablet.isByHttp = ways.isHttp;
    return tablet.receive(frame, sentAt);
  },
  onLink: (link, reason) => {
    if (link === "online") keepPage();
    tablet.becomes(link, reason);
  },
});

const keeper = new Keeper({ save: (row) => storage.keepSession(row), monotonic, wall });
const say = (text) => (byId("announcer").textContent = text);
const header = new Header(tablet, say);
const question = new QuestionView(tablet, () => review(true));
const cells = new Navigator(tablet, go);

const RENDERERS = {
  connecting: () => renderConnecting(tablet),
  unanswered: () => renderUnanswered(connection.left),
  waiting: () => renderWaiting(tablet),
  lobby: () => renderLobby(tablet),
  question: () => {
    if (!tablet.question) return tablet.begin();
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
  keeper.keep(tablet.session, tablet.clock);
  if (tablet.isOver) forget();
}

/** The next candidate of this tablet must find nothing here. */
function forget() {
  if (isForgotten) return;
  isForgotten = true;
  keeper.end();
  tablet.outbox.detach();
  storage.clear().catch(() => {}); // what cannot be cleared now is cleared when another sheet opens
  keepOnly(localStorage, null);
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

/** Have the worker keep this page: installed now, or told that there is a network and that this page is one of its own. */
async function keepPage() {
  try {
    const { active } = await navigator.serviceWorker.register("/copie/sw.js", { updateViaCache: "none" });
    active?.postMessage("online");
  } catch {
    // it works without, but on the network
  }
}

/** Have the browser keep this page, and all that it stores. */
function settle() {
  keepPage();
  navigator.storage?.persist?.().catch(() => {});
}

function watchWaking() {
  const wake = () => document.hidden || connection.wake();
  for (const name of ["visibilitychange", "resume"]) document.addEventListener(name, wake);
  for (const name of ["online", "pageshow"]) addEventListener(name, wake);
}

storage.onlost = () => {
  if (isForgotten) return;
  keeper.lose();
  settle();
  tablet.persist();
};

byId("back").addEventListener("click", () => review(false));
byId("print-button").addEventListener("click", () => print());
watchSeal(tablet, question);
watchSubmit(tablet);
watchZoom();
setInterval(plan, TICK_MS);

forgetCode(); // it has done its work
await alone(navigator.locks, () => {
  tablet.ending = { code: "tab", text: "" };
  plan();
}, later);
tablet.ending = null;
settle();
const named = sheetNamed(document.cookie);
keepOnly(localStorage, named);
if (named) tablet.resume(named);
watchWaking();
setInterval(() => tablet.outbox?.isDurable === false && tablet.persist(), STORE_AGAIN_MS);
connection.start();
