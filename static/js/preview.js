// The preview answers like the tablet, and keeps nothing.

import { watchAnswer } from "./exam/answer.js";

for (const form of document.querySelectorAll("form[data-kind]")) watchAnswer(form, form.dataset.kind, () => {});
