// Times in the reader's zone, as UTC is written, with milliseconds where it has them: nothing moves when they take its
// place.

const SECONDS = "2026-01-31 23:59:59".length;
const format = new Intl.DateTimeFormat("sv-SE", {dateStyle: "short", timeStyle: "medium"});

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    time.title = time.dateTime;
    const rest = time.textContent.slice(SECONDS);
    time.textContent = format.format(new Date(time.dateTime)) + rest;
  }
}
