// Whether the page works without a network, and making it so.

/**
 * Keep the folder in the browser.
 *
 * @param {(sentence: string) => void} say Is told how it stands, for people.
 */
export async function keep(say) {
  if (!("serviceWorker" in navigator)) {
    say(isSecureContext ? "not in this browser" : "only over https or on localhost");
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register("service-worker.js");
    if (registration.active) return say("yes, it is kept in this browser");
    say("being kept …");
    const coming = registration.installing ?? registration.waiting;
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") say("yes, it is kept in this browser");
      if (coming.state === "redundant") say("no, there is no room to keep it");
    });
  } catch {
    say("no, this browser does not allow it");
  }
}
