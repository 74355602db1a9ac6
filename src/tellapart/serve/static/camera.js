// One picture from the camera: a dialog with its view where the browser allows one, else the
// device's own way to take a picture.
const byId = (id) => document.getElementById(id);

function ownWay(taken) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.capture = "environment";
  input.addEventListener("change", () => {
    if (input.files.length) taken(input.files[0]);
  });
  input.click();
}

export async function openCamera(taken) {
  if (!navigator.mediaDevices?.getUserMedia) {
    ownWay(taken);
    return;
  }
  const dialog = byId("camera-dialog");
  const view = byId("camera-view");
  const told = byId("camera-told");
  const take = byId("camera-take");
  told.textContent = "";
  take.disabled = true;
  view.hidden = take.hidden = false;
  dialog.showModal();

  let stream = null;
  const closing = new AbortController();
  dialog.addEventListener("close", () => {
    closing.abort();
    for (const track of stream?.getTracks() ?? []) track.stop();
    view.srcObject = null;
  }, { once: true });
  byId("camera-close").addEventListener("click", () => dialog.close(), { signal: closing.signal });
  take.addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = view.videoWidth;
    canvas.height = view.videoHeight;
    canvas.getContext("2d").drawImage(view, 0, 0);
    canvas.toBlob((blob) => {
      dialog.close();
      if (blob) taken(blob);
    }, "image/jpeg", 0.95);
  }, { signal: closing.signal });

  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    if (closing.signal.aborted) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    view.srcObject = stream;
    await view.play();
    take.disabled = false;
    take.focus();
  } catch (error) {
    view.hidden = take.hidden = true;
    const refused = error.name === "NotAllowedError";
    told.textContent = refused ? "The browser was told not to use the camera." : "There is no camera that can be used.";
  }
}
