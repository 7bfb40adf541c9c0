// Ages grow, new rows glow once, commands can be copied. The pages work without any of it.
"use strict";

(() => {
  const units = [[86400, "day", "days"], [3600, "h", "h"], [60, "min", "min"], [1, "s", "s"]];

  function age(then) {
    const seconds = (Date.now() - then) / 1000;
    const size = Math.abs(seconds);
    if (size < 5) return "just now";
    const [length, one, many] = units.find(([unit]) => size >= unit);
    const count = Math.floor(size / length);
    const amount = `${count} ${count === 1 ? one : many}`;
    return seconds > 0 ? `${amount} ago` : `in ${amount}`;
  }

  function tellAges() {
    for (const shown of document.querySelectorAll("time[datetime]")) {
      const text = age(Date.parse(shown.dateTime));
      if (shown.textContent !== text) shown.textContent = text;
    }
  }

  function keysIn(part) {
    return new Set([...part.querySelectorAll("[data-key]")].map((row) => row.dataset.key));
  }

  const before = new Map();
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    before.set(event.target, keysIn(event.target));
  });
  document.addEventListener("htmx:sseMessage", (event) => {
    const known = before.get(event.target);
    if (known) {
      for (const row of event.target.querySelectorAll("[data-key]")) {
        if (!known.has(row.dataset.key)) row.classList.add("fresh");
      }
    }
    tellAges();
  });

  function tellConnection(state, words) {
    const live = document.getElementById("live");
    if (!live) return;
    live.dataset.state = state;
    live.textContent = words;
  }
  document.addEventListener("htmx:sseOpen", () => tellConnection("on", "Live"));
  document.addEventListener("htmx:sseError", () =>
    tellConnection("off", "Connection lost, trying again"));

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copies]");
    if (!button) return;
    const command = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  setInterval(tellAges, 5000);
})();
