// The desk's page keeps itself true: what is new on the server takes the place of the old, part by part.
// Scroll positions, open boxes, the focus and a note that is being written stay as they are.
"use strict";

const known = new Map([...document.querySelectorAll("[data-part]")].map(part => [part.id, part.innerHTML]));
const failed = document.getElementById("failed");
let version = Number(document.body.dataset.version);
let loading = false, again = false, asked = 0, shown = 0;

const edited = part => [...part.querySelectorAll("textarea, input:not([type=hidden]), select")]
  .some(field => field === document.activeElement && !["checkbox", "radio"].includes(field.type) ||
    field.tagName === "TEXTAREA" && field.value !== field.defaultValue);

// False for an older answer that came late: of an older version, or to what was asked before what is shown.
function show(fresh, turn) {
  if (turn < shown || Number(fresh.body.dataset.version) < version) return false;
  shown = turn;
  version = Number(fresh.body.dataset.version);
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id), html = part.innerHTML;
    if (known.get(part.id) === html || edited(old)) continue;
    known.set(part.id, html);
    if (!reframed(old, part)) swap(old, part);
  }
  return true;
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

// The page as the server has it now, put in place. False where the server did not do what it was asked for: the page or
// the banner says why. `taken` is called before anything is replaced, once an act was done.
async function load(address, fields, taken) {
  const turn = ++asked;
  const answer = await fetch(address, fields ? {method: "POST", body: new URLSearchParams(fields)} : {});
  const text = await answer.text(), fresh = new DOMParser().parseFromString(text, "text/html");
  const done = answer.ok && fresh.body.dataset.version !== undefined;
  if (done) taken?.(fresh);
  if (fresh.body.dataset.version !== undefined) {
    if (fields || failed.dataset.of === "page") say("");
    if (!show(fresh, turn)) { if (fields) reload(); return done; }
  } else say(fresh.getElementById("fault")?.textContent || text.trim() || unsaid(answer.status), fields ? "act" : "page");
  if (done && turn === asked && (answer.redirected || !fields)) history.replaceState(null, "", answer.url);
  return done;
}

const unsaid = status => status === 403 ?
  "The desk does not know this page any more; open the address that the terminal shows." : `The desk answers ${status}.`;

// The banner for what has no place in the page. While the page itself cannot be made, nothing that it shows is approved.
function say(sentence, of = "") {
  failed.textContent = sentence;
  failed.hidden = !sentence;
  failed.dataset.of = of;
  const approve = document.getElementById("approve-go");
  if (of === "page" && approve) approve.disabled = true;
  if (!sentence) known.delete("part-approve");
}

async function reload() {
  if (loading) { again = true; return; }
  loading = true;
  let failing = false;
  try { failing = !await load(location.href); } catch { again = stream.readyState === EventSource.OPEN; }
  loading = false;
  if (again || failing) { again = false; setTimeout(reload, failing ? 2000 : 100); }
}

// What was typed is the server's only when the server has taken it; until then nothing is put in its place. One thing is
// sent after the other, and what was sent on top of a save that was under way goes over what that save wrote.
let sending = Promise.resolve(), underway = 0, written = "";
const over = new Set();  // the marks that the saves under way were made over
function send(form, fields) {
  const boxes = [...form.querySelectorAll("textarea")], sent = boxes.map(box => box.value);
  const mark = fields.get("mark");
  underway++;
  const taken = fresh => {
    boxes.forEach((box, at) => { box.defaultValue = sent[at]; });
    if (mark !== null) { over.add(mark).add(fields.get("mark")); written = remarked(fresh); }
  };
  sending = sending.then(() => {
    if (over.has(mark)) fields.set("mark", written);
    const view = new URLSearchParams(location.search).get("view");  // it may have been chosen since
    if (view) fields.set("view", view);
    return load(form.action, fields, taken);
  }).catch(() => say("The desk does not answer; what you typed is still here.", "act"))
    .finally(() => { if (!--underway) over.clear(); });
}

// The mark of the note as the page saved it, put where what was typed on since is sent from; the old one where the file
// holds something else by now.
function remarked(fresh) {
  const [mine, theirs] = [document, fresh].map(one => one.getElementById("note-text"));
  if (mine && mine.defaultValue === theirs?.defaultValue) mine.form.elements.mark.value = theirs.form.elements.mark.value;
  return mine?.form.elements.mark.value;
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
  else if (link.closest(".views")) { event.preventDefault(); history.replaceState(null, "", link.href); load(link.href); }
});

document.addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target, fields = new FormData(form, event.submitter);
  form.closest("details.as")?.removeAttribute("open");
  if (form.contains(document.activeElement) && document.activeElement.tagName !== "BUTTON") event.submitter?.focus();
  send(form, fields);
});

const stream = new EventSource("events"), gone = document.getElementById("gone");
stream.onmessage = event => { gone.hidden = true; if (Number(event.data) !== version) reload(); };
stream.onerror = () => { gone.hidden = false; };
