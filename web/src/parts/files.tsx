// Files that a person gives: picked, dropped, or a whole folder of them; and files given back.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../words";

export interface Given {
  name: string;
  content: string;
}

// The node reads bodies of 8 MiB; base64 takes a third more than the files have.
export const BYTES_MAX = 5_500_000;
const FILES_MAX = 50;

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}

/** Hands bytes to the person as a file. */
export function save(bytes: BlobPart, name: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A place to drop files or a folder on, with buttons that do the same for the keyboard. */
export function Drop({ take, refused, folder, label, children }: { take: (files: Given[]) => void; refused?: () => void; folder?: boolean; label: string; children?: ComponentChildren }) {
  const [over, setOver] = useState(false);
  const [told, tell] = useState("");
  const read = async (files: File[]) => {
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (files.length > FILES_MAX || size > BYTES_MAX) {
      tell(t("papers.too_much"));
      // What was said of the files before is no longer about these.
      refused?.();
      return;
    }
    const seen = files.filter((file) => !file.name.startsWith("."));
    const given = seen.filter((file) => file.size > 0);
    const empty = seen.filter((file) => file.size === 0).map((file) => file.name);
    tell(empty.length > 0 ? t("papers.empty_files", { names: empty.join(" · ") }) : "");
    take(await Promise.all(given.map(async (file) => ({ name: file.name.slice(0, 255), content: base64(new Uint8Array(await file.arrayBuffer())) }))));
  };
  const pick = (whole: boolean) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.webkitdirectory = whole;
    input.onchange = () => void read([...(input.files ?? [])]);
    input.click();
  };
  return (
    <div
      class={over ? "drop drop-over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void dropped(event.dataTransfer).then(read);
      }}
    >
      <p>{label}</p>
      {children}
      <div class="row-buttons">
        <button type="button" class="button" onClick={() => pick(false)}>
          {t("papers.pick")}
        </button>
        {folder && (
          <button type="button" class="button" onClick={() => pick(true)}>
            {t("papers.pick_folder")}
          </button>
        )}
      </div>
      {told && <p role="alert">{told}</p>}
    </div>
  );
}

async function dropped(data: DataTransfer | null): Promise<File[]> {
  if (!data) return [];
  // Entries must be taken before the first wait: the list is emptied when the event ends.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...data.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0 || found.length > FILES_MAX) return found;
    for (const each of some) found.push(...(await filesOf(each)));
  }
}
