// Which of the page's screens is shown. No navigation, no refresh: the state of the sheet decides.

/** @typedef {"connecting" | "unanswered" | "waiting" | "lobby" | "question" | "review" | "paused" | "saving" | "receipt" | "notice"} Screen */

const SAVING_MS = 5_000;
const BY_STATUS = {
  EXPECTED: "lobby", ADMITTED: "lobby", READY: "lobby", PAUSED: "paused", SUBMITTED: "receipt", CLOSED: "receipt",
  ABSENT: "notice", WITHDRAWN: "notice", EXCLUDED: "notice",
};

/** @param {import("./tablet.js").Tablet} tablet @returns {Screen} */
function beforeAnyState({ place, link, turnedAway }) {
  if (place) return "waiting";
  return link === "offline" && turnedAway === null ? "unanswered" : "connecting";
}

/**
 * @param {import("./tablet.js").Tablet} tablet @param {boolean} isReviewing
 * @returns {Screen}
 */
export function screenOf(tablet, isReviewing) {
  if (tablet.ending) return "notice";
  if (tablet.status === null || tablet.fold === null) return beforeAnyState(tablet);
  if (tablet.status !== "COMPOSING") return BY_STATUS[tablet.status] ?? "notice";
  if (tablet.outbox.base.submitted) return "receipt";
  if (tablet.fold.submitted) return tablet.isCutOff ? "receipt" : "saving";
  if (!tablet.isOpen(1)) return "lobby";
  if (tablet.remaining !== null && tablet.remaining <= 0) {
    return tablet.remaining > -SAVING_MS ? "saving" : "receipt";
  }
  return isReviewing ? "review" : "question";
}

let shown = null;

/** @param {Screen} screen @returns {boolean} whether it was not shown already */
export function showScreen(screen) {
  if (screen === shown) return false;
  shown = screen;
  document.documentElement.dataset.screen = screen;
  for (const part of document.querySelectorAll("[data-on]")) part.hidden = !part.dataset.on.split(" ").includes(screen);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close("back");
  toTop();
  return true;
}

/** Show the beginning: what scrolls is the frame on a tablet, the page on a narrow screen. */
export function toTop() {
  document.getElementById("main").scrollTop = 0;
  scrollTo(0, 0);
}
