// The picture of the graph, which the service draws.

// renderGraph puts the picture into container. Its boxes have a class
// "mention-T1" for each mention that they stand for.
export function renderGraph(container, svg, doc) {
  const picture = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const title = picture.querySelector("title")?.textContent ?? "Graph";
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `${title}. ${sentences(doc)}`);
  for (const inner of picture.querySelectorAll("title")) inner.remove(); // they would show as tooltips
  const width = picture.viewBox.baseVal.width;
  for (const node of picture.querySelectorAll(".node")) {
    const first = [...node.classList].find((name) => name.startsWith("mention-"));
    node.dataset.mention = first.slice("mention-".length);
  }
  container.replaceChildren(picture);
  picture.classList.toggle("wide", width > 2 * container.clientWidth);
}

// sentences says in words what the picture shows.
function sentences(doc) {
  const name = (id) => doc.mentions.find((m) => m.id === id)?.text;
  return (doc.relations ?? []).map((r) => `${name(r.head)} ${r.label} ${name(r.tail)}.`).join(" ");
}

// selectInGraph marks the box of a mention.
export function selectInGraph(container, id) {
  for (const node of container.querySelectorAll(".node")) node.classList.toggle("selected", node.classList.contains(`mention-${id}`));
}
