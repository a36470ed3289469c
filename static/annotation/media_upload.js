// How much of an upload has been sent. Without it the form is an ordinary form.
(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-media-upload]")) return;
    event.preventDefault();
    const box = form.querySelector("[data-media-progress]");
    const bar = box.querySelector("progress");
    const label = box.querySelector("label");
    const button = form.querySelector("button[type=submit]");
    const request = new XMLHttpRequest();
    box.hidden = false;
    button.disabled = true;
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) bar.value = (sent.loaded / sent.total) * 100;
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      label.textContent = box.dataset.checking;
    });
    request.addEventListener("load", () => {
      // The whole page as the server drew it, with what it refused.
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const fresh = page.getElementById("main");
      if (!fresh) return location.reload();
      const main = document.getElementById("main");
      main.replaceChildren(...fresh.childNodes);
      main.focus({ preventScroll: true });
      scrollTo({ top: 0 });
    });
    request.addEventListener("error", () => {
      box.hidden = true;
      button.disabled = false;
    });
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
})();
