// Times in the reader's zone, as UTC is written, with milliseconds where it has them: nothing moves when they take its
// place.

const EVERY = 10_000;  // ms
const SECONDS = "2026-01-31 23:59:59".length;
const format = new Intl.DateTimeFormat("sv-SE", {dateStyle: "short", timeStyle: "medium"});

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    time.title = time.dateTime;
    const rest = time.textContent.slice(SECONDS);
    time.textContent = format.format(new Date(time.dateTime)) + rest;
  }
  for (const one of root.querySelectorAll("[data-ago]")) {
    begun.set(one, performance.now() - 1000 * Number(one.dataset.ago));
    one.removeAttribute("data-ago");   // each answer says another: parts that say the same otherwise are equal
  }
}

// How long ago, in the words of the server, counted on from what it said.
const begun = new WeakMap();

function ago(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (!minutes) return "just now";
  if (minutes < 90) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 1440)} d ago`;
}

setInterval(() => {
  for (const one of document.querySelectorAll(".ago")) {
    const text = ago((performance.now() - begun.get(one)) / 1000);
    if (one.textContent !== text) one.textContent = text;
  }
}, EVERY);
