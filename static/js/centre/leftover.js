// Acts of a sheet that somebody left on this tablet: said before anybody else takes it, and sent with the ticket that is still here.

import { byId, element, icon } from "../lib/dom.js";
import { delay } from "../exam/backoff.js";
import { genesis } from "../exam/chain.js";
import { blank } from "../exam/fold.js";
import { poster } from "../exam/frames.js";
import { sheetNamed } from "../exam/kept.js";
import { Outbox } from "../exam/outbox.js";
import { rescue } from "../exam/rescue.js";
import { Storage } from "../exam/storage.js";
import { LOCK } from "../exam/tabs.js";
import { plural } from "../exam/words.js";

const storage = new Storage(indexedDB);

/** @param {string} key a sheet @returns {Promise<Outbox>} with what the tablet kept of it */
async function openedOutbox(key) {
  const [sitting, number] = key.split("|");
  const base = blank(await genesis(Number(sitting), number));
  const outbox = new Outbox({ base, store: await storage.sheet(key), send: () => {}, now: () => Date.now() });
  await outbox.load();
  return outbox;
}

/** The same, once the storage has told what it holds: nothing is said to be sent, nor forgotten, before. @param {string} key */
async function readOutbox(key) {
  for (let attempt = 0; ; attempt++) {
    const outbox = await openedOutbox(key);
    if (outbox.isRead) return outbox;
    await new Promise((resolve) => setTimeout(resolve, delay(attempt, Math.random)));
  }
}

/** @param {"warn" | "info"} tone @param {string} strong @param {string} text */
function show(tone, strong, text) {
  const words = element("div", {}, element("strong", {}, strong), element("br"), element("span", {}, text));
  const banner = element("div", { class: "banner", role: "alert", "data-tone": tone }, icon(tone === "warn" ? "alert" : "check-circle", "l"), words);
  byId("leftover").replaceChildren(banner);
}

const OURS = "Si cette copie est la vôtre, continuez : tout partira avec vous. Sinon, ne prenez pas cette tablette : appelez un surveillant.";

/** @param {number} waiting @param {string} key @param {boolean} canLeave */
function warn(waiting, key, canLeave) {
  const number = key.split("|")[1];
  const strong = `Cette tablette garde ${plural(waiting, "acte non enregistré", "actes non enregistrés")} de la copie ${number}.`;
  show("warn", strong, `${canLeave ? "Elle essaie d’envoyer ce qui reste. " : ""}${OURS}`);
}

/** Try until nothing is left, or until this ticket can do no more. @param {string} key @param {Outbox} outbox @param {() => void} done */
async function send(key, outbox, done) {
  const count = outbox.waiting;
  let apart = 0;
  for (let attempt = 0; ; attempt++) {
    const { state, quarantined } = await rescue(outbox, key, poster({ wall: Date.now, skew: () => null }));
    apart += quarantined;
    if (state === "done") break;
    warn(outbox.waiting, key, state === "waiting");
    if (state === "refused") return;
    await new Promise((resolve) => setTimeout(resolve, delay(attempt + 2, Math.random)));
  }
  await storage.clear().catch(() => {});
  const few = plural(count, "acte de la copie précédente a été envoyé", "actes de la copie précédente ont été envoyés");
  show("info", `${few}.`, `${apart ? "Ce qui est arrivé après la fin, ou d’une tablette remplacée, est à part pour le jury. " : ""}Cette tablette ne garde plus rien.`);
  done();
}

/**
 * Look for such acts; when there are some, warn, and send them if the ticket on this tablet is theirs.
 * @param {{found?: () => void, done?: () => void}} told
 */
export async function watchLeftover({ found = () => {}, done = () => {} } = {}) {
  const left = await storage.left().catch(() => storage.left()).catch(() => null);
  if (!left) return done();
  found();
  const isOurs = sheetNamed(document.cookie) === left.key;
  warn(left.waiting, left.key, isOurs);
  if (!isOurs) return;
  const sent = async () => send(left.key, await readOutbox(left.key), done);
  if (!navigator.locks) return sent();
  // A page of this sheet that is open in another tab sends its own acts.
  await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => lock && sent());
}
