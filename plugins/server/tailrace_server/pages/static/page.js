// What every page has: parts that are replaced in place, times in the reader's zone, rows that answer to keys.
import {follow, refreshOn} from "./refresh.js";

const format = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "medium"});

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    time.title = time.dateTime;
    time.textContent = format.format(new Date(time.dateTime));
  }
}

localTimes(document);
document.addEventListener("replaced", (event) => localTimes(event.target));
refreshOn(document);
follow(document.querySelector("[data-live]")?.dataset.live);
