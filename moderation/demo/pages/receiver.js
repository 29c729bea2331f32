// Shows what is new: asks for the counts every second, and loads the page again when they have moved.
"use strict";

const shown = `${document.body.dataset.heard} ${document.body.dataset.refused}`;

async function look() {
  try {
    const response = await fetch("/events.json", { signal: AbortSignal.timeout(5000) });
    const { heard, refused } = await response.json();
    if (`${heard} ${refused}` !== shown) {
      location.reload();
      return;
    }
  } catch {
    // The service is stopping or starting; the next look will tell.
  }
  setTimeout(look, 1000);
}

setTimeout(look, 1000);
