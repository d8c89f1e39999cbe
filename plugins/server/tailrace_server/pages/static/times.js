// Times in the reader's zone, as UTC is written: nothing moves when they take its place.

const format = new Intl.DateTimeFormat("sv-SE", {dateStyle: "short", timeStyle: "medium"});

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    time.title = time.dateTime;
    time.textContent = format.format(new Date(time.dateTime));
  }
}
