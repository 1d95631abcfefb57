// The preview answers like the tablet, and keeps nothing.

import { watchOptions } from "./exam/options.js";

for (const form of document.querySelectorAll("form[data-kind]")) watchOptions(form, form.dataset.kind, () => {});
