"use strict";
// The confusion matrix and its order, the images of a cell, sorting of tables, and the search for a class.
const { labels, confusion, cells, images } = JSON.parse(document.getElementById("content").textContent);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const percent = (fraction) => `${(100 * fraction).toFixed(1)}\u00a0%`;

// Isolates a label written from right to left, which would reorder the text around it.
const isolated = (label) => `\u2068${label}\u2069`;

function drawMatrix(order) {
  const recall = (row) => confusion[row][row] / Math.max(1, total(row));
  const total = (row) => confusion[row].reduce((sum, count) => sum + count, 0);
  const rows = labels.map((_, number) => number);
  const byName = new Intl.Collator(undefined, { numeric: true }).compare;
  if (order === "label") rows.sort((a, b) => byName(labels[a], labels[b]));
  if (order === "images") rows.sort((a, b) => total(b) - total(a));
  if (order === "recall") rows.sort((a, b) => recall(a) - recall(b));
  const head = element("tr", {}, element("th", {}, "true ↓"));
  for (const column of rows) head.append(element("th", { scope: "col", title: labels[column] }, element("span", {}, labels[column])));
  const body = element("tbody");
  for (const row of rows) {
    const line = element("tr", {}, element("th", { scope: "row", title: labels[row] }, labels[row]));
    for (const column of rows) {
      const count = confusion[row][column];
      const cell = element("td", {}, count ? count.toLocaleString("en") : "");
      if (count) {
        const fraction = count / total(row);
        const strength = (0.12 + 0.75 * fraction).toFixed(2);
        cell.style.background = `rgba(var(${row === column ? "--cell" : "--wrong-cell"}), ${strength})`;
        if (strength > 0.5) cell.style.color = "var(--ground)";
        const place = `${row},${column}`;
        if (cells?.[place]) {  // The rarest cells of a large matrix have no images, and neither has TFMA's page.
          cell.dataset.cell = place;
          cell.tabIndex = 0;
        }
        cell.title = `${isolated(labels[row])} predicted as ${isolated(labels[column])}: ${count}, ${percent(fraction)} of the class`;
      }
      line.append(cell);
    }
    body.append(line);
  }
  const caption = element("caption", {}, "predicted →");
  document.getElementById("matrix").replaceChildren(caption, element("thead", {}, head), body);
}

function figure(one) {
  const top_labels = element("ul", { class: "top_labels" });
  for (const [label, probability] of one.top_labels) {
    const bar = element("i");
    bar.style.width = percent(probability).replace("\u00a0", "");
    top_labels.append(element("li", {}, element("span", {}, label), element("span", {}, percent(probability)), bar));
  }
  const image = element("img", { src: one.source, alt: one.name, title: one.name });
  const copy = element("button", { type: "button", class: "copy", title: "Copy the name", "aria-label": `Copy ${one.name}` }, "Copy");
  const name = element("span", { class: "name" }, element("code", {}, one.name), " ", copy);
  return element("figure", { class: `image ${one.correct ? "correct" : "wrong"}` },
    element("div", { class: "views" }, image), element("figcaption", {}, element("b", {}, one.label), name, top_labels));
}

function showCell(place) {
  const [row, column] = place.dataset.cell.split(",").map(Number);
  const inside = cells[place.dataset.cell] ?? [];
  const count = confusion ? confusion[row][column] : Number(place.cells[2].textContent);
  const [label, predicted] = [isolated(labels[row]), isolated(labels[column])];
  const name = row === column ? `${label}, predicted correctly` : `${label}, predicted as ${predicted}`;
  const which = inside.length < count ? `${inside.length} of ${count} images` : `${count} image${count > 1 ? "s" : ""}`;
  const gallery = element("div", { class: "gallery" }, ...inside.map((id) => figure(images[id])));
  const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
  document.getElementById("cell").replaceChildren(element("h3", {}, `${name}: ${which}`), close, gallery);
  document.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
  place.classList.add("chosen");
  document.getElementById("cell").scrollIntoView({ block: "nearest" });
  place.scrollIntoView({ block: "nearest", inline: "nearest" });  // On a phone, above the images.
  sharpen();
}

function closeCell() {
  document.getElementById("cell")?.replaceChildren();
  const place = document.querySelector(".chosen");
  place?.classList.remove("chosen");
  place?.focus({ preventScroll: true });
}

function copyName(button) {
  const code = button.parentElement.querySelector("code");
  getSelection().selectAllChildren(code);
  // Browsers refuse the clipboard to some pages. Then the name is selected, and Ctrl+C copies it.
  navigator.clipboard?.writeText(code.textContent).then(() => { button.textContent = "Copied"; }, () => {});
}

function sortBy(header) {
  const table = header.closest("table");
  const column = header.cellIndex;
  const ascending = header.getAttribute("aria-sort") === "descending";
  table.querySelectorAll("th[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const value = (row) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/,/g, ""));
    return header.classList.contains("n") ? (Number.isNaN(number) ? -Infinity : number) : text;
  };
  const compare = (a, b) => (typeof a === "string" ? b.localeCompare(a, undefined, { numeric: true }) : b - a);
  const rows = [...table.tBodies[0].rows].sort((a, b) => compare(value(a), value(b)) * (ascending ? -1 : 1));
  table.tBodies[0].append(...rows);
}

// Shows the pixels of a very small image instead of a blur.
function sharpen() {
  for (const image of document.querySelectorAll("img:not(.tiny)")) {
    const mark = () => image.naturalWidth <= 40 && image.classList.add("tiny");
    image.complete ? mark() : image.addEventListener("load", mark, { once: true });
  }
}

document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-cell]");
  if (place) showCell(place);
  const copy = event.target.closest(".copy");
  if (copy) copyName(copy);
  if (event.target.closest("#cell .close")) closeCell();
  const link = event.target.closest("nav a");
  if (link && location.protocol === "about:") {  // In a notebook's frame, a link would open the notebook.
    event.preventDefault();
    document.querySelector(link.getAttribute("href")).scrollIntoView();
  }
  const header = event.target.closest(".sortable thead th");
  if (header) sortBy(header);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeCell();
  if (event.key !== "Enter" && event.key !== " ") return;
  if (event.target.matches("[data-cell], .sortable thead th")) event.preventDefault();  // Space would scroll.
  if (event.target.dataset?.cell) showCell(event.target);
  if (event.target.matches(".sortable thead th")) sortBy(event.target);
});
document.querySelectorAll(".sortable thead th").forEach((header) => { header.tabIndex = 0; });
document.getElementById("order")?.addEventListener("change", (event) => drawMatrix(event.target.value));
document.getElementById("find")?.addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const row of document.querySelectorAll("#by-class tbody tr"))
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
});
if (confusion) drawMatrix("label");
sharpen();
