// Acts of another sheet on this tablet are said here too, before the ticket changes. A code that is somebody else's is not kept.

import { forgetCode } from "../lib/code.js";
import { byId } from "../lib/dom.js";
import { watchLeftover } from "./leftover.js";

byId("not-me").addEventListener("submit", forgetCode);
watchLeftover();
