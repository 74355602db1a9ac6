// Whether the page works without a network, and making it so.

/**
 * Keep the folder in the browser.
 *
 * @param {(short: string, sentence: string) => void} say Is told how it stands, for people.
 */
export async function keep(say) {
  if (!("serviceWorker" in navigator)) {
    say("No", isSecureContext ? "this browser keeps nothing" : "only over https or on localhost");
    return;
  }
  const kept = () => say("Yes", "kept in this browser");
  try {
    const registration = await navigator.serviceWorker.register("service-worker.js");
    if (registration.active) return kept();
    say("Soon", "being kept in this browser");
    const coming = registration.installing ?? registration.waiting;
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") kept();
      if (coming.state === "redundant") say("No", "it could not be kept in this browser");
    });
  } catch {
    say("No", "this browser does not allow it");
  }
}
