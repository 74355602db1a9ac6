// Makes the page work without a network, and says whether it does.

/**
 * Store the folder in the browser.
 *
 * @param {(short: string, sentence: string) => void} say Called with the state, in words.
 */
export async function keep(say) {
  if (!("serviceWorker" in navigator)) {
    say("No", isSecureContext ? "this browser stores no pages" : "only over https or on localhost");
    return;
  }
  const kept = () => say("Yes", "stored in this browser");
  try {
    const registration = await navigator.serviceWorker.register("service-worker.js");
    if (registration.active) return kept();
    say("Soon", "being stored in this browser");
    const coming = registration.installing ?? registration.waiting;
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") kept();
      if (coming.state === "redundant") say("No", "it could not be stored in this browser");
    });
  } catch {
    say("No", "this browser does not allow it");
  }
}
