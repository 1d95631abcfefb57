// Reading again, then handing in: what is missing, in numbers, each one a way back.

import { byId, element, icon, refresh } from "../lib/dom.js";
import { duration } from "./clock.js";
import { cellButton } from "./navigator.js";
import { counts, groups, unsealed } from "./progress.js";
import { hour, plural } from "./words.js";

/** @param {import("./tablet.js").Tablet} tablet */
function summary(tablet) {
  const all = groups(tablet.paper.entries, tablet.fold, tablet.seen);
  const cells = all.flatMap((group) => group.cells);
  const blanks = cells.filter(({ number, state }) => !tablet.fold.answers[number] && state !== "closed" && state !== "locked");
  const cases = all.map((group) => ({ title: group.title, steps: unsealed(group) })).filter(({ steps }) => steps.length);
  return { count: counts(cells, tablet.fold), blanks, flagged: cells.filter((cell) => cell.flagged), cases };
}

const stepsOf = (cases) => cases.reduce((sum, { steps }) => sum + steps.length, 0);

function figures({ count, blanks, flagged, cases }) {
  const pairs = [
    [`répondues sur ${count.total}`, count.answered], ["sans réponse", blanks.length],
    ["étapes non validées", stepsOf(cases)], ["signalées", flagged.length],
  ];
  return pairs.map(([word, number]) => element("div", {}, element("dt", {}, word), element("dd", {}, String(number))));
}

const panel = (title, ...inside) => element("section", { class: "panel stack snug" }, element("h2", {}, title), ...inside);

function cellsPanel(cells, title, go) {
  if (!cells.length) return [];
  return [panel(title, element("div", { class: "cells" }, ...cells.map((cell) => cellButton(cell, false, go))))];
}

function casePanel({ title, steps }, go) {
  const reachable = steps.find(({ state }) => state !== "closed");
  const text = `${plural(steps.length, "étape n’est pas validée", "étapes ne sont pas validées")}. À la fin de l’épreuve, une réponse non validée compte telle qu’elle est.`;
  const click = () => go(reachable.number);
  const button = reachable && element("button", { class: "button", type: "button", click }, `Reprendre à la question ${reachable.number}`, icon("right"));
  return panel(title, element("p", { class: "measure" }, text), ...(button ? [element("p", {}, button)] : []));
}

/** @param {import("./tablet.js").Tablet} tablet @param {(number: number) => void} go */
export function renderReview(tablet, go) {
  const found = summary(tablet);
  const left = tablet.remaining ?? 0;
  byId("review-time").textContent =
    `Il vous reste ${duration(left)}. Vous pouvez rester sur cette page jusqu’à la fin : à ${hour(tablet.endsAt)}, votre copie est remise d’elle-même, sans aucun geste.`;
  byId("review-saved").textContent = tablet.unsaved
    ? `${plural(tablet.unsaved, "acte attend", "actes attendent")} encore.`
    : "Toutes vos réponses sont enregistrées.";
  refresh(byId("review-figures"), JSON.stringify(found), () => figures(found));
  refresh(byId("review-lists"), JSON.stringify(found), () => [
    ...cellsPanel(found.blanks, plural(found.blanks.length, "question sans réponse", "questions sans réponse"), go),
    ...cellsPanel(found.flagged, plural(found.flagged.length, "question signalée", "questions signalées"), go),
  ]);
  refresh(byId("review-cases"), JSON.stringify(found), () => found.cases.map((one) => casePanel(one, go)));
}

function recap({ blanks, flagged, cases }, waiting) {
  const line = (isWrong, name, text) =>
    element("li", { "data-tone": isWrong ? "warn" : "ok" }, icon(isWrong ? name : "check"), element("span", {}, text));
  const sealed = stepsOf(cases);
  return [
    line(blanks.length, "alert", blanks.length ? plural(blanks.length, "question sans réponse", "questions sans réponse") : "Aucune question ouverte sans réponse"),
    line(sealed, "alert", sealed ? plural(sealed, "étape de dossier non validée", "étapes de dossier non validées") : "Toutes les étapes sont validées"),
    ...(flagged.length ? [line(true, "flag", plural(flagged.length, "question signalée", "questions signalées"))] : []),
    line(waiting, "alert", waiting ? `${plural(waiting, "acte attend", "actes attendent")} le réseau : la remise partira après` : "Toutes vos réponses sont enregistrées"),
  ];
}

/** @param {import("./tablet.js").Tablet} tablet */
export function watchSubmit(tablet) {
  const dialog = byId("submit-dialog");
  byId("submit").addEventListener("click", () => {
    byId("submit-time").textContent = `Il vous reste ${duration(tablet.remaining ?? 0)}. Après la remise, vous ne pourrez plus ouvrir l’épreuve.`;
    byId("submit-recap").replaceChildren(...recap(summary(tablet), tablet.unsaved));
    dialog.returnValue = "back";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => dialog.returnValue === "submit" && tablet.act("submit", 0, ""));
}
