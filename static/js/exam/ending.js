// The ends of a page: a receipt, or why it may no longer write.

import { byId, element, icon, refresh } from "../lib/dom.js";
import { receiptCode } from "./chain.js";
import { plural, second } from "./words.js";

const NOTICES = {
  replaced: ["Bloquée", "Cette copie est ouverte sur une autre tablette.", "Rien n’est perdu : continuez sur l’autre tablette. Celle-ci ne peut plus rien écrire.", null],
  version: ["Page à recharger", "Une version plus récente de cette page existe.", "Vos réponses sont gardées. Rechargez la page pour reprendre où vous étiez.", ["/copie/", "Recharger"]],
  ticket: ["Coupon expiré", "Cette tablette doit être admise de nouveau.", "Vos réponses sont gardées. Entrez votre coupon, ou appelez un surveillant.", ["/entrer/", "Entrer mon coupon"]],
  ABSENT: ["Absent", "Cette copie est notée absente.", "Si c’est une erreur, levez la main.", null],
  WITHDRAWN: ["Retirée", "Cette copie est retirée de l’épreuve.", "Si c’est une erreur, levez la main.", null],
  EXCLUDED: ["Exclue", "Cette copie est exclue de l’épreuve.", "Adressez-vous au surveillant.", null],
};

/** @param {import("./tablet.js").Tablet} tablet */
export function renderNotice({ ending, status }) {
  const [badge, title, text, link] = NOTICES[ending?.code ?? status] ?? NOTICES.version;
  byId("notice-badge").textContent = badge;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("notice-link").hidden = link === null;
  if (link) [byId("notice-link").href, byId("notice-link").textContent] = link;
}

/** @param {import("./tablet.js").Tablet} tablet @returns {["ok" | "info" | "warn", string, string, string]} */
function headline({ outbox, status }) {
  if (outbox.waiting) {
    const text = `${plural(outbox.waiting, "acte attend", "actes attendent")} encore le réseau : laissez cette page ouverte.`;
    return ["warn", "alert", "Non enregistré, rien n’est perdu", text];
  }
  if (outbox.base.submitted || status === "SUBMITTED") return ["ok", "check-circle", "Copie remise", "Votre copie est enregistrée et close."];
  if (status === "CLOSED") return ["ok", "check-circle", "Épreuve close", "Le temps est écoulé : votre copie est enregistrée et close."];
  return ["info", "hourglass", "Temps écoulé", "Vos réponses sont enregistrées. La copie va être close."];
}

/** @param {import("./tablet.js").Tablet} tablet */
export function renderReceipt(tablet) {
  const { outbox, sitting, number, savedAt, paper } = tablet;
  const { base } = outbox;
  const [tone, name, word, title] = headline(tablet);
  byId("receipt-badge").dataset.tone = tone;
  refresh(byId("receipt-badge"), word, () => [icon(name), word]);
  byId("receipt-title").textContent = title;
  byId("receipt-code").textContent = receiptCode(base.digest);
  const answered = Object.values(base.answers).filter(Boolean).length;
  const facts = [
    ["Épreuve", sitting.title], ["Copie", number],
    ["Réponses", paper ? `${answered} sur ${paper.entries.size}, dont ${plural(base.sealed.length, "validée", "validées")} en dossier` : String(answered)],
    ["Actes enregistrés", base.seq.toLocaleString("fr-FR")], ...(savedAt ? [["Dernier enregistrement", second(savedAt)]] : []),
  ];
  refresh(byId("receipt-facts"), JSON.stringify(facts), () =>
    facts.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)]));
}
