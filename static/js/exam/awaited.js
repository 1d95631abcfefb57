// The next step of a case whose key has not come: why it waits, and what becomes of the time meanwhile.

import { element, icon, refresh } from "../lib/dom.js";

const CLOCKS = {
  RUN: "Pendant cette attente, le temps continue.",
  STOP: "Le temps d’attente vous sera rendu au retour du réseau.",
};

/**
 * Say it in a box, a new one by default.
 * @param {import("./tablet.js").Tablet} tablet @param {HTMLElement} [box]
 */
export function awaited({ link, sitting }, box = element("div", { class: "reading stack loose" })) {
  const isDown = link !== "online" && link !== "slow";
  refresh(box, String(isDown), () => [
    element("p", {}, element("span", { class: "badge", "data-tone": "quiet", "data-size": "l" }, icon("hourglass"), "Étape en attente")),
    element("h1", {}, "La suite du dossier s’ouvrira dès que votre validation sera enregistrée."),
    ...(isDown ? offline(sitting) : [element("p", { class: "vignette" }, "Votre réponse validée part vers le serveur. Cette étape s’ouvrira d’elle-même.")]),
  ]);
  return box;
}

/** @param {import("./protocol.js").Sitting} sitting */
const offline = ({ offline_clock: rule }) => [
  element("p", { class: "vignette" }, "Votre réponse validée est gardée sur cette tablette. Sans réseau, continuez par une autre question : cette étape s’ouvrira d’elle-même à son retour."),
  element("p", { class: "vignette" }, element("b", {}, CLOCKS[rule])),
];
