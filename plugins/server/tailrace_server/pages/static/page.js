// What every page has: parts that are replaced in place, times in the reader's zone, rows that answer to keys.
import {follow, refreshOn} from "./refresh.js";
import {localTimes} from "./times.js";
import "./keys.js";

localTimes(document);
refreshOn(document);
follow(document.querySelector("[data-live]")?.dataset.live);

// A tree of JSON that is too large for its page: the script for that is loaded when one is unfolded.
document.addEventListener("toggle", (event) => {
  if (event.target.open && event.target.matches?.("details[data-more]")) {
    import("./value.js").then(({unfold}) => unfold(event.target));
  }
}, {capture: true});
