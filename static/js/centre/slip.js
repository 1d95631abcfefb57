/**
 * The code of a scanned slip arrives in the fragment of the address. It is moved into the field, then erased from the address.
 * The form leaves by itself, unless this tablet still holds acts of a sheet: then a person decides. When nothing answers the form,
 * a service worker says so, and the code comes back here by the same way.
 */

import { forgetCode, keepCode, scannedCode } from "../lib/code.js";
import { byId } from "../lib/dom.js";
import { watchLeftover } from "./leftover.js";

const input = byId("code");
const code = scannedCode();
const own = byId("leftover-own");
// Safe Exam Browser signs the requests of its pages, and not those of a worker in their stead.
const isKiosk = /\bSEB\b/.test(navigator.userAgent);
let isHeld = false;

forgetCode();
const workers = isKiosk ? [] : ["/entrer/sw.js", "/copie/sw.js"]; // the page that comes next is kept too before it is needed
for (const worker of workers) navigator.serviceWorker?.register(worker, { updateViaCache: "none" }).catch(() => {}); // it works without
if (code) {
  input.value = code;
  history.replaceState(null, "", location.pathname);
}

const mayLeave = () => !isHeld || own.querySelector("input").checked;

/** @param {boolean} isHolding */
function hold(isHolding) {
  isHeld = isHolding;
  own.hidden = !isHolding;
  byId("enter").setAttribute("aria-disabled", String(!mayLeave()));
}

own.addEventListener("change", () => hold(isHeld));
input.form.addEventListener("submit", (event) => {
  if (mayLeave()) return keepCode(input.value);
  event.preventDefault();
  own.querySelector("input").focus();
});
await watchLeftover({ found: () => hold(true), done: () => hold(false) });
if (code && !isHeld) input.form.requestSubmit();
