// The preview answers like the tablet, and keeps nothing.

import { watchAnswer } from "./exam/answer.js";
import { articleSection } from "./exam/article.js";
import { Marks } from "./exam/marks.js";

const nowhere = { getItem: () => null, setItem: () => {}, removeItem: () => {} };

for (const form of document.querySelectorAll("form[data-kind]")) watchAnswer(form, form.dataset.kind, () => {});
for (const article of document.querySelectorAll(".reader .article")) {
  const place = article.closest("section");
  place.replaceWith(articleSection(article, 0, new Marks(nowhere, "")));
}
