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
  try {
    const headers = { "Content-Type": "application/octet-stream" };
    return await (await fetch(address, { method: "POST", headers, body: file })).json();
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

async function classify(file) {
  const answer = await ask("/classify", file);
  const card = element("figure", { class: "tried" }, element("figcaption", {}, file.name || "photo"));
  at("results").prepend(card);
  if (answer.error) return card.append(element("p", { class: "bad" }, answer.error));
  const buttons = answer.labels.map(labelButton);
  for (const one of buttons) one.addEventListener("click", () => showMap(card, file, one));
  card.append(element("div", { class: "views" }, element("img", { src: answer.image, alt: file.name || "photo" })),
    element("ul", {}, ...buttons.map((one) => element("li", {}, one))));
  at("hint").hidden = false;
  await showMap(card, file, buttons[0]);
}

// One image after another, in the order in which they came.
let waiting = 0;
let last = Promise.resolve();
function add(files) {
  for (const file of files) {
    waiting += 1;
    last = last.then(() => classify(file)).finally(() => { waiting -= 1; report(); });
  }
  report();
}
const report = () => { at("status").textContent = waiting ? `${waiting} image${waiting > 1 ? "s" : ""} to classify …` : ""; };

at("choose").addEventListener("click", () => at("files").click());
at("files").addEventListener("change", () => { add([...at("files").files]); at("files").value = ""; });
document.addEventListener("paste", (event) => add([...event.clipboardData.files]));
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();  // The browser would open the image instead of this page.
    at("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") add([...event.dataTransfer.files]);
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
  canvas.toBlob((photo) => photo && add([photo]), "image/jpeg", 0.95);
}
at("camera").addEventListener("click", startCamera);
at("stop").addEventListener("click", stopCamera);
at("photo").addEventListener("click", takePhoto);
