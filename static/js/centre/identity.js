// Acts of another sheet on this tablet are said here too, before the ticket changes.

import { watchLeftover } from "./leftover.js";

watchLeftover();
