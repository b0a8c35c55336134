// The desk's page keeps itself true: what is new on the server takes the place of the old, part by part.
// Scroll positions, open boxes, the focus and a note that is being written stay as they are.
"use strict";

const known = new Map([...document.querySelectorAll("[data-part]")].map(part => [part.id, part.innerHTML]));
let version = Number(document.body.dataset.version);
let loading = false, again = false;

const edited = part => [...part.querySelectorAll("textarea, input:not([type=hidden]), select")]
  .some(field => field === document.activeElement && !["checkbox", "radio"].includes(field.type) ||
    field.tagName === "TEXTAREA" && field.value !== field.defaultValue);

function show(fresh) {
  if (Number(fresh.body.dataset.version) < version) return;  // an older answer that came late
  version = Number(fresh.body.dataset.version);
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id), html = part.innerHTML;
    if (known.get(part.id) === html || edited(old)) continue;
    known.set(part.id, html);
    if (!reframed(old, part)) swap(old, part);
  }
}

// A frame that is already there is sent to its new address: it keeps its height, and the page its place.
function reframed(old, part) {
  const before = [...old.querySelectorAll("iframe")], after = [...part.querySelectorAll("iframe")];
  if (!before.length || before.length !== after.length || old.children.length !== part.children.length) return false;
  before.forEach((frame, at) => {
    frame.title = after[at].title;
    if (frame.getAttribute("src") !== after[at].getAttribute("src")) frame.src = after[at].getAttribute("src");
  });
  const labels = [...part.querySelectorAll(".label")];
  old.querySelectorAll(".label").forEach((label, at) => { label.textContent = labels[at].textContent; });
  return true;
}

function swap(old, part) {
  const open = [...old.querySelectorAll("details[open]")].map(box => box.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceChildren(...part.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({preventScroll: true});
}

async function load(address, form) {
  const answer = await fetch(address, form ? {method: "POST", body: new URLSearchParams(form)} : {});
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (fresh.body.dataset.version === undefined) return;
  show(fresh);
  if (answer.redirected || !form) history.replaceState(null, "", answer.url);
}

async function reload() {
  if (loading) { again = true; return; }
  loading = true;
  try { await load(location.href); } catch { again = stream.readyState === EventSource.OPEN; }
  loading = false;
  if (again) { again = false; setTimeout(reload, 100); }
}

function fit(frame) {
  const body = frame.contentDocument?.body;
  if (body) frame.style.height = `${Math.ceil(body.getBoundingClientRect().height)}px`;
}

function goTo(place) {
  const frame = document.querySelector("iframe[name=mail-600]");
  const target = frame?.contentDocument?.getElementById(place);
  if (!target) return false;
  const column = document.getElementById("middle");
  const top = frame.getBoundingClientRect().top + target.getBoundingClientRect().top;
  if (getComputedStyle(column).overflowY === "auto") column.scrollTop += top - column.getBoundingClientRect().top - 16;
  else scrollBy(0, top - 16);
  column.focus({preventScroll: true});
  return true;
}

document.addEventListener("load", event => { if (event.target.tagName === "IFRAME") fit(event.target); }, true);
document.querySelectorAll("iframe").forEach(fit);
addEventListener("resize", () => document.querySelectorAll("iframe").forEach(fit));

document.addEventListener("click", event => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.dataset.place && goTo(link.dataset.place)) event.preventDefault();
  else if (link.closest(".views")) { event.preventDefault(); load(link.href); }
});

document.addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target, fields = new FormData(form, event.submitter);
  form.closest("details.as")?.removeAttribute("open");
  if (form.contains(document.activeElement) && document.activeElement.tagName !== "BUTTON") event.submitter?.focus();
  if (form.id === "note") form.elements.text.defaultValue = form.elements.text.value;
  load(form.action, fields);
});

const stream = new EventSource("events"), gone = document.getElementById("gone");
stream.onmessage = event => { gone.hidden = true; if (Number(event.data) !== version) reload(); };
stream.onerror = () => { gone.hidden = false; };
