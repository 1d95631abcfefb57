/** Keeps the operations board live. */

import { showLive } from "../centre/board.js";
import { follow } from "../lib/parts.js";

follow(document.querySelector("#operations"), showLive);
