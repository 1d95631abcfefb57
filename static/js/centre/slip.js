/**
 * The code of a scanned slip arrives in the fragment of the address, which no server and no log ever sees.
 * It is moved into the field, then erased from the address. The form leaves by itself, unless this tablet still holds acts of
 * a sheet: then a person decides.
 */

import { byId } from "../lib/dom.js";
import { watchLeftover } from "./leftover.js";

const input = byId("code");
const code = decodeURIComponent(location.hash.slice(1)).slice(0, 40);
const own = byId("leftover-own");
let isHeld = false;

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
  if (mayLeave()) return;
  event.preventDefault();
  own.querySelector("input").focus();
});
await watchLeftover({ found: () => hold(true), done: () => hold(false) });
if (code && !isHeld) input.form.requestSubmit();
