"use strict";
// Sends images to the server of this page, and shows their labels and maps.
const at = (id) => document.getElementById(id);
const mostBytes = Number(document.body.dataset.mostBytes);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

async function ask(address, file) {
  if (file.size > mostBytes) return { error: `The image has more than ${mostBytes / 1e6} MB.` };
  let body;
  try {
    body = await file.arrayBuffer();
  } catch {  // It has changed or vanished since it was chosen. fetch would also write to the console.
    return { error: "The file cannot be read." };
  }
  try {
    const headers = { "Content-Type": "application/octet-stream" };
    return await (await fetch(address, { method: "POST", headers, body })).json();
  } catch {
    return { error: "The server does not answer. Is the command still running?" };
  }
}

async function showMap(card, file, button) {
  card.querySelectorAll("li button").forEach((one) => one.setAttribute("aria-pressed", one === button));
  const answer = await ask(`/map?class=${button.dataset.class}`, file);
  if (button.getAttribute("aria-pressed") !== "true") return;  // another label was chosen in the meantime
  card.querySelector(".bad, .map")?.remove();
  if (answer.error) card.append(element("p", { class: "bad" }, answer.error));
  else card.querySelector(".views").append(element("img", { class: "map", src: answer.map,
    alt: `Regions important for ${button.dataset.label}`, title: `Regions important for ${button.dataset.label}` }));
}

function labelButton({ class: number, label, probability }) {
  const bar = element("i");
  bar.style.width = `${100 * probability}%`;
  const attributes = { type: "button", "aria-pressed": "false", "data-class": number, "data-label": label };
  return element("button", attributes, element("span", {}, label),
    element("span", { class: "n" }, `${(100 * probability).toFixed(1)}\u00a0%`), bar);
}

async function classify(name, file, fault) {
  const answer = fault ? { error: fault } : await ask("/classify", file);
  const card = element("figure", { class: "tried" }, element("figcaption", {}, name));
  at("results").prepend(card);
  if (answer.error) return card.append(element("p", { class: "bad" }, answer.error));
  const buttons = answer.labels.map(labelButton);
  for (const one of buttons) one.addEventListener("click", () => showMap(card, file, one));
  card.append(element("div", { class: "views" }, element("img", { src: answer.image, alt: name })),
    element("ul", {}, ...buttons.map((one) => element("li", {}, one))));
  at("hint").hidden = false;
  await showMap(card, file, buttons[0]);
}

// One image after another, in the order in which they came.
let waiting = 0;
let last = Promise.resolve();
function add(name, file, fault) {
  waiting += 1;
  last = last.then(() => classify(name, file, fault)).finally(() => { waiting -= 1; report(); });
  report();
}
const addFile = (file) => add(file.name || "photo", file);
const report = () => {
  at("status").textContent = waiting ? `${waiting} image${waiting > 1 ? "s" : ""} to classify …` : "";
};

// A folder comes as one file, which cannot be sent.
async function addItems(items) {
  // Only now, before the first await, do the items give what they hold.
  const given = [...items].filter((one) => one.kind === "file").map((one) => [one.webkitGetAsEntry(), one.getAsFile()]);
  for (const [entry, file] of given) {
    if (entry?.isDirectory) await addFolder(entry);
    else if (file) addFile(file);
  }
}
async function addFolder(folder) {
  let found = 0;
  for await (const [entry, file] of filesIn(folder)) {
    if (file && !mayBeImage(file)) continue;
    found += 1;
    add(entry.fullPath.slice(1), file, file ? "" : `The ${entry.isFile ? "file" : "folder"} cannot be read.`);
  }
  if (!found) add(folder.name, null, "The folder has no images.");
}
const mayBeImage = (file) => !file.type || file.type.startsWith("image/") || /\.np[yz]$/i.test(file.name);

// Yields each file below the folder with its entry. What cannot be read has no file. Hidden files are skipped.
async function* filesIn(folder) {
  let entries;
  try {
    entries = await entriesOf(folder);
  } catch {
    yield [folder, null];
    return;
  }
  for (const entry of entries.filter((one) => !one.name.startsWith("."))) {
    if (entry.isDirectory) yield* filesIn(entry);
    else yield [entry, await new Promise((done) => entry.file(done, () => done(null)))];
  }
}
const inOrder = (one, other) => one.name.localeCompare(other.name, undefined, { numeric: true });
async function entriesOf(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {  // A call gives at most 100 entries, and none after the last.
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found.sort(inOrder);
    found.push(...some);
  }
}

at("choose").addEventListener("click", () => at("files").click());
at("files").addEventListener("change", () => { [...at("files").files].forEach(addFile); at("files").value = ""; });
document.addEventListener("paste", (event) => addItems(event.clipboardData.items));
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();  // The browser would open the image instead of this page.
    at("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") addItems(event.dataTransfer.items);
  });
}

async function startCamera() {
  stopCamera();
  try {
    at("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    at("live").hidden = false;
  } catch (error) {
    at("status").textContent = `The camera cannot be used: ${error.message}`;
  }
}
function stopCamera() {
  at("video").srcObject?.getTracks().forEach((track) => track.stop());
  at("video").srcObject = null;
  at("live").hidden = true;
}
function takePhoto() {
  const canvas = element("canvas");
  canvas.width = at("video").videoWidth;
  canvas.height = at("video").videoHeight;
  canvas.getContext("2d").drawImage(at("video"), 0, 0);
  canvas.toBlob((photo) => photo && addFile(photo), "image/jpeg", 0.95);
}
at("camera").addEventListener("click", startCamera);
at("stop").addEventListener("click", stopCamera);
at("photo").addEventListener("click", takePhoto);
