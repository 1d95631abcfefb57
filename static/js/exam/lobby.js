// The lobby: is this tablet ready, and when does it start.

import { byId, element, icon, refresh } from "../lib/dom.js";
import { duration } from "./clock.js";
import { hour, megabytes } from "./words.js";

/**
 * @typedef {{name: string, title: string, detail: string, word: string, tone: "ok" | "quiet" | "warn", bar?: [number, number]}} Check
 * @param {import("./tablet.js").Tablet} tablet @returns {Check}
 */
function paperCheck({ progress, paper, status }) {
  const { received = 0, total = 0, state = null } = progress ?? {};
  const detail = total ? `${megabytes(received)} sur ${megabytes(total)}` : "le sujet n’est pas encore annoncé";
  const words = { fetching: "En cours", checking: "Vérification", failed: "Nouvel essai", verified: "Vérifié" };
  const tone = paper ? "ok" : state === "failed" ? "warn" : "quiet";
  const title = paper ? `Sujet présent, ${status === "COMPOSING" ? "ouvert" : "scellé"}` : "Réception du sujet scellé";
  return { name: "seal", title, detail, word: words[state] ?? "Attendu", tone, bar: total ? [received, total] : undefined };
}

/** @param {import("./tablet.js").Tablet} tablet @returns {Check[]} */
function checks(tablet) {
  const { link, clock, outbox } = tablet;
  const isUp = link === "online";
  const rtt = clock.rtt === null ? "mesure en cours" : `réponse en ${Math.round(clock.rtt)} ms`;
  const [word, tone] = isUp ? ["En ligne", "ok"] : [link === "slow" ? "Lente" : "Hors ligne", "warn"];
  const isKept = outbox?.isDurable ?? false;
  const kept = navigator.serviceWorker?.controller ? "la page aussi" : "mémoire de la tablette";
  return [
    paperCheck(tablet),
    { name: "wifi", title: "Réseau de l’épreuve", detail: isUp ? rtt : "la tablette réessaie d’elle-même", word, tone },
    {
      name: "storage", title: "Réponses gardées ici", detail: isKept ? kept : "appelez un surveillant",
      word: isKept ? "Prêt" : "Refusée", tone: isKept ? "ok" : "warn",
    },
    {
      name: "clock", title: "Heure", detail: "celle du serveur fait foi", word: clock.isSet ? "Réglée" : "En cours",
      tone: clock.isSet ? "ok" : "quiet",
    },
  ];
}

/** @param {Check} check */
function line({ name, title, detail, word, tone, bar }) {
  const small = element("span", { class: "soft small" }, detail);
  if (bar) {
    const [value, max] = bar;
    small.append(element("progress", { class: "bar", "data-tone": tone, value, max, "aria-label": "Réception du sujet" }));
  }
  const badge = element("span", { class: "badge", "data-tone": tone }, icon({ ok: "check", warn: "alert", quiet: "hourglass" }[tone]), word);
  return element("li", { "data-tone": tone }, icon(name), element("span", {}, element("b", {}, title), element("br"), small), badge);
}

/** Before the first word of the server, or when it has turned the tablet away. @param {import("./tablet.js").Tablet} tablet */
export function renderConnecting({ turnedAway }) {
  byId("turned-away").hidden = turnedAway === null;
  byId("turned-away-text").textContent = turnedAway ?? "";
}

/** Before a server that does not answer. @param {number} left ms until the next attempt, 0 while one is made */
export function renderUnanswered(left) {
  byId("unanswered-again").textContent = left ? `Nouvel essai dans ${Math.ceil(left / 1_000)} s.` : "Nouvel essai en cours…";
}

/** Before a server that is full. @param {import("./tablet.js").Tablet} tablet */
export function renderWaiting({ place }) {
  byId("waiting-place").textContent = String(place);
}

/** @param {import("./tablet.js").Tablet} tablet */
export function renderLobby(tablet) {
  const lines = checks(tablet);
  const isReady = lines.every(({ tone }) => tone === "ok");
  refresh(byId("checklist"), JSON.stringify(lines), () => lines.map(line));
  byId("readiness").dataset.tone = isReady ? "info" : "quiet";
  refresh(byId("readiness"), String(isReady), () =>
    isReady ? [icon("check-circle"), "Tablette prête"] : [icon("hourglass"), "Préparation de la tablette"]);
  byId("lobby-title").textContent = isReady
    ? "Tout est prêt. Vous n’avez plus rien à faire."
    : "La tablette se prépare. Vous n’avez rien à faire.";
  const { clock, sitting } = tablet;
  if (!clock.isSet || !sitting) return;
  const left = sitting.starts_at - clock.now();
  byId("countdown").textContent = left > 0 ? duration(left) : "Bientôt";
  byId("countdown-text").textContent = left > 0
    ? `avant l’ouverture prévue, à ${hour(sitting.starts_at)}`
    : "L’heure prévue est passée : le centre ouvre l’épreuve.";
}
