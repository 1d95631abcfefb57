// Validating a step: final, so said before, with the answer read again.

import { byId } from "../lib/dom.js";
import { chosen } from "./case.js";
import { KINDS } from "./kinds/index.js";
import { openedBy } from "./progress.js";

/** @param {import("./tablet.js").Tablet} tablet @param {import("./question.js").QuestionView} view */
export function watchSeal(tablet, view) {
  const dialog = byId("seal-dialog");
  let asked = 0;
  byId("seal-button").addEventListener("click", () => {
    asked = tablet.question;
    const entry = tablet.paper.entries.get(asked);
    byId("seal-title").textContent = `Valider définitivement la question ${entry.position} ?`;
    byId("seal-consequence").textContent = openedBy(tablet.paper.entries, asked)
      ? "La suite du dossier s’ouvrira. Vous ne pourrez plus modifier cette réponse."
      : "C’est la dernière étape de ce dossier. Vous ne pourrez plus modifier cette réponse.";
    byId("seal-recap").replaceChildren(...chosen(entry.kind, view.form, KINDS[entry.kind].read(view.form)));
    dialog.returnValue = "back";
    dialog.showModal();
  });
  dialog.addEventListener("close", async () => {
    if (dialog.returnValue !== "seal" || tablet.question !== asked) return;
    await tablet.act("seal", asked, "");
    const next = openedBy(tablet.paper.entries, asked);
    if (next && tablet.fold.sealed.includes(asked)) tablet.show(next);
  });
}
