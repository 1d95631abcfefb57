// Nothing answers: say when the next attempt is, and make it, never in step with the other tablets. A code that was on its way goes
// again by the fragment of the address, as that of a scanned slip does.

import { byId } from "../lib/dom.js";
import { keptCode, scannedCode } from "../lib/code.js";

const SOONEST_MS = 5_000;
const SPREAD_MS = 10_000;
const TICK_MS = 1_000;
const ENTRANCE = "/entrer/";
const ASKED_AGAIN = ["/entrer/attente/", "/copie/"]; // addresses that say by themselves who waits

const code = scannedCode() || keptCode();
const isEntrance = !ASKED_AGAIN.includes(location.pathname);
const due = performance.now() + SOONEST_MS + Math.random() * SPREAD_MS;

function knock() {
  byId("again").textContent = "Nouvel essai en cours…";
  const address = isEntrance ? `${ENTRANCE}${code && `#${encodeURIComponent(code)}`}` : location.pathname;
  if (location.pathname !== (isEntrance ? ENTRANCE : address)) return location.replace(address);
  history.replaceState(null, "", address); // to the same address a fragment alone would load nothing
  location.reload();
}

function count() {
  const left = due - performance.now();
  if (left <= 0) return knock();
  byId("again").textContent = `Nouvel essai dans ${Math.ceil(left / 1_000)} s.`;
  setTimeout(count, Math.min(left, TICK_MS));
}

byId("kept").hidden = byId("other").hidden = !(isEntrance && code);
count();
