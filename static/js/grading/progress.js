// The marking page follows its runs: it asks for the progress every two seconds while one is under way, and reloads at its end.
const PERIOD = 2000;
const UNDER_WAY = new Set(["PENDING", "RUNNING"]);

const page = document.getElementById("marking");

/** @param {Element} section @param {Record<string, any>} progress */
function show(section, progress) {
  const label = section.querySelector("[data-label]");
  label.dataset.tone = progress.tone;
  label.querySelector("use").setAttribute("href", `#${progress.icon}`);
  section.querySelector("progress").value = progress.marked;
  for (const field of section.querySelectorAll("[data-field]")) field.textContent = progress[field.dataset.field];
}

/** @returns {Promise<boolean>} whether a run is still under way */
async function follow() {
  const response = await fetch(page.dataset.progress, { headers: { Accept: "application/json" } });
  if (!response.ok) return true;
  const runs = await response.json();
  for (const [sitting, progress] of Object.entries(runs)) {
    const section = page.querySelector(`[data-sitting="${sitting}"]`);
    if (section?.querySelector("[data-label]")) show(section, progress);
  }
  return Object.values(runs).some((progress) => UNDER_WAY.has(progress.state));
}

async function watch() {
  let underWay = true;
  try {
    underWay = await follow();
  } catch {
    // the network may be away; the next round asks again
  }
  if (underWay) setTimeout(watch, PERIOD);
  else if (started) location.reload();
}

const started = [...page.querySelectorAll("[data-label] use")].some((use) =>
  ["#clock", "#sync"].includes(use.getAttribute("href")),
);
if (started) watch();
