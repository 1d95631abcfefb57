// Always at the same place: the sitting, the time that is left, what is saved, the link, the hand.

import { duration, markCrossed, remaining } from "./clock.js";
import { byId, element, icon, refresh } from "../lib/dom.js";
import { hour, plural, second } from "./words.js";

const UNSAVED_MS = 3_000;
const LINKS = {
  connecting: ["quiet", "sync", "Connexion"],
  online: ["ok", "wifi", "En ligne"],
  http: ["ok", "wifi", "Secours HTTP"],
  slow: ["warn", "wifi", "Lente"],
  offline: ["warn", "wifi-off", "Hors ligne"],
  waiting: ["info", "hourglass", "En attente"],
  ended: ["warn", "lock", "Bloquée"],
};

export class Header {
  #isHidden = false;
  #before = Number.NaN;
  #tablet;
  #say;

  /** @param {import("./tablet.js").Tablet} tablet @param {(text: string) => void} say */
  constructor(tablet, say) {
    this.#tablet = tablet;
    this.#say = say;
    byId("clock-button").addEventListener("click", () => {
      this.#isHidden = !this.#isHidden;
      this.render();
    });
    byId("hand-button").addEventListener("click", () => this.#call());
  }

  render() {
    const { sitting, number, isCalling, isByHttp } = this.#tablet;
    const link = this.#tablet.link === "online" && isByHttp ? "http" : this.#tablet.link;
    byId("sitting-title").textContent = sitting?.title ?? "Épreuve";
    byId("sheet-number").textContent = number ?? "…";
    const [tone, name, word] = LINKS[link];
    byId("link").dataset.tone = tone;
    refresh(byId("link"), link, () => [icon(name), word]);
    byId("hand-button").setAttribute("aria-pressed", String(isCalling));
    byId("hand-button").setAttribute("aria-label", isCalling ? "Annuler l’appel d’un surveillant" : "Appeler un surveillant");
    this.#renderSave();
    this.#renderClock();
  }

  #call() {
    const raised = !this.#tablet.isCalling;
    const left = this.#tablet.call(raised);
    if (!raised) this.#say("Appel annulé.");
    else this.#say(left ? "Un surveillant est appelé." : "Sans réseau, l’appel ne part pas : levez la main.");
  }

  #renderSave() {
    const { outbox, unsaved, isStoring, savedAt, isCutOff } = this.#tablet;
    const age = outbox?.waitingSince ? Date.now() - outbox.waitingSince : 0;
    const isLost = unsaved && (isCutOff || age > UNSAVED_MS);
    const save = byId("save");
    const when = savedAt ? `à ${second(savedAt)}` : "rien n’attend";
    if (isLost && !(isStoring && outbox.isDurable)) this.#write(save, "warn", "alert", "Non enregistré", outbox.isDurable ? "rien n’est perdu" : "ne fermez pas");
    else if (unsaved) this.#write(save, "quiet", "sync", "En cours…", "");
    else this.#write(save, "ok", "check", "Enregistré", when);
  }

  #write(save, tone, name, word, detail) {
    save.dataset.tone = tone;
    refresh(save, `${word}${detail}`, () => [icon(name), element("span", {}, word, element("small", {}, detail))]);
  }

  #renderClock() {
    const { remaining: left, endsAt, status } = this.#tablet;
    if (left === null) return;
    const clock = byId("clock-button");
    const { text, tone } = remaining(left);
    const isPaused = status === "PAUSED";
    const isHidden = this.#isHidden && tone === null && !isPaused;
    clock.setAttribute("aria-pressed", String(isHidden));
    clock.querySelector("b").textContent = isPaused ? "En pause" : isHidden ? "Masqué" : text;
    clock.querySelector("small").textContent = isHidden ? "" : this.#detail(isPaused, left, endsAt, tone);
    if (isPaused) clock.dataset.tone = "pause";
    else if (tone) clock.dataset.tone = tone;
    else delete clock.dataset.tone;
    const mark = markCrossed(this.#before, left);
    this.#before = left;
    if (mark && !isPaused) this.#say(`Il reste ${plural(mark, "minute", "minutes")}.`);
  }

  #detail(isPaused, left, endsAt, tone) {
    if (isPaused) return `${duration(left)} restantes`;
    return tone === "danger" ? "la copie sera remise seule" : `fin à ${hour(endsAt)}`;
  }
}
