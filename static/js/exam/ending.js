// The ends of a page: a receipt, or why it may no longer write.

import { byId, element, icon, refresh } from "../lib/dom.js";
import { receiptCode } from "./chain.js";
import { plural, second } from "./words.js";

const NOTICES = {
  replaced: ["Bloquée", "Cette copie est ouverte sur une autre tablette.", "Rien n’est perdu : continuez sur l’autre tablette. Celle-ci ne peut plus rien écrire.", null],
  tab: ["Autre onglet", "Cette copie est déjà ouverte dans un autre onglet de cette tablette.", "Continuez dans l’autre onglet. S’il est fermé, celui-ci prendra sa place de lui-même.", null],
  version: ["Page à recharger", "Une version plus récente de cette page existe.", "Vos réponses sont gardées. Rechargez la page pour reprendre où vous étiez.", ["/copie/", "Recharger"]],
  ticket: ["Coupon expiré", "Cette tablette doit être admise de nouveau.", "Vos réponses sont gardées. Entrez votre coupon, ou appelez un surveillant.", ["/entrer/", "Entrer mon coupon"]],
  ABSENT: ["Absent", "Cette copie est notée absente.", "Si c’est une erreur, levez la main.", null],
  WITHDRAWN: ["Retirée", "Cette copie est retirée de l’épreuve.", "Si c’est une erreur, levez la main.", null],
  EXCLUDED: ["Exclue", "Cette copie est exclue de l’épreuve.", "Adressez-vous au surveillant.", null],
};

/** What became of the acts that a replaced tablet had not sent. @param {import("./tablet.js").Tablet} tablet @returns {string} */
function surrendered({ outbox, quarantined, isStuck }) {
  const waiting = outbox?.waiting ?? 0;
  const few = plural(waiting, "acte n’est pas parti", "actes ne sont pas partis");
  const sent = plural(quarantined, "acte qui n’était pas parti a été transmis et gardé", "actes qui n’étaient pas partis ont été transmis et gardés");
  if (waiting && isStuck) return `${few}. Gardez cette tablette allumée et appelez un surveillant.`;
  if (waiting) return `${few} : la tablette réessaie. Laissez-la allumée.`;
  return quarantined ? `${sent} à part pour le jury.` : "";
}

/** @param {import("./tablet.js").Tablet} tablet */
export function renderNotice(tablet) {
  const code = tablet.ending?.code ?? tablet.status;
  const [badge, title, text, link] = NOTICES[code] ?? NOTICES.version;
  const more = code === "replaced" ? surrendered(tablet) : "";
  byId("notice-more").textContent = more;
  byId("notice-more").hidden = !more;
  byId("notice-badge").textContent = badge;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("notice-link").hidden = link === null;
  if (link) [byId("notice-link").href, byId("notice-link").textContent] = link;
}

/** @param {import("./tablet.js").Tablet} tablet @returns {["ok" | "info" | "warn", string, string, string]} */
function headline({ outbox, status, quarantined, unsaved }) {
  if (unsaved) {
    const text = `${plural(unsaved, "acte attend", "actes attendent")} encore le réseau\u00a0: laissez cette page ouverte.`;
    return ["warn", "alert", `Non enregistré, ${outbox.isDurable ? "rien n’est perdu" : "ne fermez pas"}`, text];
  }
  if (outbox.base.submitted || status === "SUBMITTED") return ["ok", "check-circle", "Copie remise", "Votre copie est enregistrée et close."];
  if (status === "CLOSED") return ["ok", "check-circle", "Épreuve close", "Le temps est écoulé : votre copie est enregistrée et close."];
  const saved = quarantined ? "Ce qui est arrivé à temps est enregistré." : "Vos réponses sont enregistrées.";
  return ["info", "hourglass", "Temps écoulé", `${saved} La copie va être close.`];
}

/** The same head of the chain as a picture, when the server can be asked for it. @param {string} digest */
function showPicture(digest) {
  const picture = byId("receipt-qr");
  if (picture.dataset.digest === digest) return;
  picture.dataset.digest = digest;
  picture.hidden = true;
  picture.onload = () => (picture.hidden = false);
  picture.src = `/copie/recu.svg?tete=${digest}`;
}

/** @param {import("./tablet.js").Tablet} tablet */
export function renderReceipt(tablet) {
  const { outbox, sitting, number, savedAt, paper, quarantined } = tablet;
  const { base } = outbox;
  const [tone, name, word, title] = headline(tablet);
  byId("receipt-badge").dataset.tone = tone;
  refresh(byId("receipt-badge"), word, () => [icon(name), word]);
  byId("receipt-title").textContent = title;
  for (const part of ["receipt-proof", "print-button"]) byId(part).hidden = tablet.unsaved > 0; // a receipt would prove less than was done
  byId("receipt-code").textContent = receiptCode(base.digest);
  showPicture(base.digest);
  const answered = Object.values(base.answers).filter(Boolean).length;
  const facts = [
    ["Épreuve", sitting.title], ["Copie", number],
    ["Réponses", paper ? `${answered} sur ${paper.entries.size}, dont ${plural(base.sealed.length, "validée", "validées")} en dossier` : String(answered)],
    ["Actes enregistrés", base.seq.toLocaleString("fr-FR")], ...(savedAt ? [["Dernier enregistrement", second(savedAt)]] : []),
    ...(quarantined ? [["Gardés à part pour le jury", plural(quarantined, "acte", "actes")]] : []),
  ];
  refresh(byId("receipt-facts"), JSON.stringify(facts), () =>
    facts.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)]));
}
