// A picture beside the words of a prompt: says what was chosen, shows it small, takes it back, and takes one that is
// pasted or dropped. What is sent is the field's own file.
(() => {
  const SMALL = 144;

  // Drawn small, upright, as a data: address; what the browser cannot read stays a name.
  const preview = async (file, image) => {
    image.hidden = true;
    try {
      const bitmap = await createImageBitmap(file);
      const canvas = document.createElement("canvas");
      const scale = SMALL / Math.min(bitmap.width, bitmap.height);
      canvas.width = canvas.height = SMALL;
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      canvas.getContext("2d").drawImage(bitmap, (SMALL - width) / 2, (SMALL - height) / 2, width, height);
      image.src = canvas.toDataURL("image/png");
      image.hidden = false;
    } catch {
      image.removeAttribute("src");
    }
  };

  const show = (attach) => {
    const field = attach.querySelector("[data-attach-file]");
    const chosen = attach.querySelector("[data-attach-chosen]");
    const file = field.files[0];
    chosen.hidden = !file;
    attach.querySelector("[data-attach-name]").textContent = file ? file.name : "";
    if (file) preview(file, attach.querySelector("[data-attach-preview]"));
  };

  const wake = () => {
    for (const attach of document.querySelectorAll("[data-attach]:not(.attach--live)")) {
      attach.classList.add("attach--live");
      show(attach);
    }
  };

  const take = (event, data) => {
    const field = event.target.closest?.("form")?.querySelector("[data-attach-file]");
    const file = [...(data?.files ?? [])].find((each) => each.type.startsWith("image/"));
    if (!field || !file) return;
    event.preventDefault();
    const carried = new DataTransfer();
    carried.items.add(file);
    field.files = carried.files;
    show(field.closest("[data-attach]"));
  };

  document.addEventListener("change", (event) => {
    const attach = event.target.closest?.("[data-attach]");
    if (attach) show(attach);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-attach-remove]");
    if (!button) return;
    const attach = button.closest("[data-attach]");
    const field = attach.querySelector("[data-attach-file]");
    field.value = "";
    show(attach);
    field.focus();
  });
  document.addEventListener("paste", (event) => take(event, event.clipboardData));
  document.addEventListener("dragover", (event) => {
    const isFile = event.dataTransfer?.types.includes("Files");
    if (isFile && event.target.closest?.("form")?.querySelector("[data-attach-file]")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => take(event, event.dataTransfer));
  document.addEventListener("htmx:afterSwap", wake);
  addEventListener("pageshow", wake);
  wake();
})();
