/** Says what became of what was asked; lets a form leave only while the server answers. */

import { icon } from "./board.js";

const ALIVE = "/sante/vivant/";
const LONGEST_WAIT = 8000;
const UNSENT = "Le serveur ne répond pas : rien n’a été envoyé. Recommencez quand il répond.";

const answers = document.querySelector("#answers");
let isReached = false;
let isAsking = false;

export function showAnswer(answer) {
  const line = document.createElement("p");
  line.className = "banner";
  line.dataset.tone = answer.ok ? "ok" : answer.code === "already" ? "info" : "danger";
  const words = document.createElement("span");
  words.textContent = answer.text;
  line.append(icon(answer.ok ? "check" : "alert"), words);
  answers.replaceChildren(line);
}

/** A form that leaves while nothing answers takes its page to the browser's error, whose reload sends it again. */
export async function leave(event) {
  if (isReached) return;
  event.preventDefault();
  if (isAsking) return; // a double click is one command
  isAsking = true;
  const { target: form, submitter } = event;
  if (form.matches("[popover]")) form.hidePopover();
  if (await isServerThere()) {
    isReached = true;
    form.requestSubmit(submitter);
    isReached = false;
    setTimeout(() => { isAsking = false; }, LONGEST_WAIT); // the page is leaving
  } else {
    isAsking = false;
    showAnswer({ ok: false, text: UNSENT });
  }
}

async function isServerThere() {
  try {
    return (await fetch(ALIVE, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(LONGEST_WAIT) })).ok;
  } catch {
    return false;
  }
}
