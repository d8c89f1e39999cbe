// What a tree of JSON has no room for is loaded when it is unfolded; without this script a link leads to it.
import {say} from "./refresh.js";

export async function unfold(details) {
  const link = details.querySelector(":scope > a");
  if (!link || link.ariaBusy) return;
  link.ariaBusy = "true";
  try {
    const answer = await fetch(details.dataset.more, {headers: {Accept: "text/html"}});
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    const tree = found.querySelector(".value .tree");
    if (!answer.ok) throw new Error(found.querySelector("main")?.innerText || answer.statusText);
    if (!tree) return;  // shown in another way, such as a table: the link leads there
    if (Number(details.dataset.members) > tree.children.length) tree.append(rest(link.href));
    tree.classList.remove("tree");
    link.replaceWith(document.adoptNode(tree));
  } catch (error) {
    say(error.message);
  } finally {
    link.ariaBusy = null;
  }
}

function rest(url) {
  const [item, link] = [document.createElement("li"), document.createElement("a")];
  link.href = url;
  link.textContent = "all of it";
  item.append(link);
  return item;
}
