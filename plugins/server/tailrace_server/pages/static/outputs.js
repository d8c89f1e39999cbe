// The outputs of an execution: the form that finds keeps the value that is shown, and on a narrow page that comes into
// sight when it was chosen.

const form = document.getElementById("find");

function keep() {
  const asked = new URLSearchParams(location.search);
  for (const field of form.querySelectorAll("input[type=hidden]")) field.value = asked.get(field.name) ?? "";
}

let chosen = false;
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#list a[data-main]")) chosen = true;
}, true);

document.addEventListener("replaced", (event) => {
  keep();
  if (event.target.id !== "value" || !chosen) return;
  chosen = false;
  if (matchMedia("(max-width: 64rem)").matches) event.target.scrollIntoView({block: "start"});
});
