// One picture from the camera, in a dialog. The camera is on only while the dialog is open.

const why = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's settings for this page.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera is in use by another program.",
};

/** Whether this browser offers a camera to this page. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

export class Camera {
  #dialog;
  #video;
  #stream = null;

  /**
   * @param {HTMLDialogElement} dialog Contains a video, a line for problems, and two buttons.
   * @param {(file: Blob) => void} taken Gets the picture.
   */
  constructor(dialog, taken) {
    this.#dialog = dialog;
    this.#video = dialog.querySelector("video");
    dialog.querySelector("[data-take]").addEventListener("click", async () => {
      const file = await this.#picture();
      dialog.close();
      if (file) taken(file);
    });
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.#stop());
  }

  /** Ask for the camera and show what it sees. */
  async open() {
    const problem = this.#dialog.querySelector("[data-problem]");
    const take = this.#dialog.querySelector("[data-take]");
    problem.textContent = "";
    take.disabled = true;
    this.#dialog.showModal();
    try {
      const wanted = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
      const stream = await navigator.mediaDevices.getUserMedia(wanted);
      if (!this.#dialog.open) return stop(stream); // closed while the browser asked
      this.#stream = stream;
      this.#video.srcObject = stream;
      await this.#video.play();
      take.disabled = false;
      take.focus();
    } catch (error) {
      problem.textContent = why[error.name] ?? `The camera cannot be used (${error.name}).`;
    }
  }

  #picture() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width) return null;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    canvas.getContext("2d").drawImage(this.#video, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  #stop() {
    if (this.#stream) stop(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
