// Things true now that change what one should do: no network, time granted, an act refused, a storage that fails.

import { byId, element, icon, refresh } from "../lib/dom.js";
import { duration } from "./clock.js";
import { hour, plural, second } from "./words.js";

const OFFLINE_AFTER_MS = 3_000;

/** @param {string} tone @param {string} name @param {string} strong @param {string} text @param {...Node} more */
function banner(tone, name, strong, text, ...more) {
  const words = element("div", {}, element("strong", {}, strong), element("br"), text);
  return element("div", { class: "banner", role: tone === "info" ? "status" : "alert", "data-tone": tone }, icon(name, "l"), words, ...more);
}

/** @param {string} word @param {() => void} click */
const button = (word, click) => element("button", { class: "button", type: "button", click }, word);

/** What to do while nothing reaches the server. @param {import("./tablet.js").Tablet} tablet */
function advice({ outbox, fold }) {
  const isKept = outbox?.isDurable ?? true;
  if (fold?.submitted) return isKept ? "Laissez cette tablette allumée" : "Ne fermez pas cette page";
  return `Continuez, ${isKept ? "rien n’est perdu" : "sans fermer cette page"}`;
}

/** @param {import("./tablet.js").Tablet} tablet @param {number} downFor ms */
function offline(tablet, downFor) {
  const { outbox, savedAt } = tablet;
  const waiting = outbox?.waiting
    ? `${plural(outbox.waiting, "acte attend sur cette tablette et partira de lui-même", "actes attendent sur cette tablette et partiront d’eux-mêmes")}.`
    : "Vos prochaines réponses resteront sur cette tablette et partiront d’elles-mêmes.";
  const last = savedAt ? ` Dernier enregistrement : ${second(savedAt)}.` : "";
  const since = downFor < 60_000 ? "" : ` depuis ${duration(Math.floor(downFor / 60_000) * 60_000)}`;
  return [`Réseau interrompu${since}. ${advice(tablet)}.`, waiting + last];
}

/** @param {import("./tablet.js").Tablet} tablet */
function waiting(tablet) {
  const strong = `Serveur très demandé : cette tablette est à la place ${tablet.place}. ${advice(tablet)}.`;
  const acts = tablet.outbox.waiting
    ? "Ce qui attend sur cette tablette partira de lui-même, à son tour."
    : "Vos prochaines réponses resteront sur cette tablette et partiront d’elles-mêmes.";
  return { key: strong + acts, make: () => banner("info", "hourglass", strong, acts) };
}

/**
 * @param {import("./tablet.js").Tablet} tablet @param {number} monotonic ms @param {() => void} changed
 */
export function renderNotes(tablet, monotonic, changed) {
  const notes = [];
  const downFor = tablet.lostAt === null ? 0 : monotonic - tablet.lostAt;
  if (tablet.link === "offline" && tablet.fold && downFor > OFFLINE_AFTER_MS) {
    const [strong, text] = offline(tablet, downFor);
    notes.push({ key: `${strong}${text}`, make: () => banner("warn", "wifi-off", strong, text) });
  }
  if (tablet.link === "waiting" && tablet.status !== null) notes.push(waiting(tablet));
  if (tablet.granted > 0 && !tablet.ending) {
    const text = `Votre nouvelle fin : ${hour(tablet.endsAt)}.`;
    const read = () => button("J’ai lu", () => tablet.acknowledgeGrant());
    notes.push({ key: text, make: () => banner("info", "time-add", `${duration(tablet.granted)} de plus.`, text, read()) });
  }
  if (tablet.refusal) {
    const close = () => {
      tablet.refusal = null;
      changed();
    };
    const text = "L’écran montre ce que le serveur a enregistré.";
    notes.push({ key: tablet.refusal, make: () => banner("warn", "alert", tablet.refusal, text, button("J’ai lu", close)) });
  }
  if (tablet.quarantined && !tablet.ending) {
    const strong = `${plural(tablet.quarantined, "acte est arrivé", "actes sont arrivés")} après la fin.`;
    const text = `${tablet.quarantined > 1 ? "Gardés" : "Gardé"} à part pour le jury, qui décidera. Vous n’avez rien à faire.`;
    notes.push({ key: strong, make: () => banner("info", "receipt", strong, text) });
  }
  if (tablet.outbox && !tablet.outbox.isDurable) {
    const text = tablet.isCutOff
      ? "Ce qui attend le réseau n’est que sur cette page. Appelez un surveillant."
      : "Vos réponses partent au serveur, mais ne restent pas sur la tablette en cas de coupure. Appelez un surveillant.";
    notes.push({ key: text, make: () => banner("warn", "storage", "La mémoire de cette tablette ne répond pas.", text) });
  }
  refresh(byId("notes"), notes.map(({ key }) => key).join("|"), () => notes.map(({ make }) => make()));
}
