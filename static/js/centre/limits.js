/** Keeps the page of limits and guards live. */

import { showLive } from "./board.js";
import { leave } from "./forms.js";
import { follow } from "../lib/parts.js";

follow(document.querySelector("#limits-page"), showLive);
document.addEventListener("submit", leave);
