// Resizes pictures with the page's own module. Arguments: the module, and a folder that holds
// cases.json and for each case NAME.rgb; writes NAME.square beside it.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [, , module, folder] = process.argv;
const { resize } = await import(pathToFileURL(module));
for (const { name, width, height, size, fit, most } of JSON.parse(readFileSync(`${folder}/cases.json`))) {
  const rgb = readFileSync(`${folder}/${name}.rgb`);
  const read = (x, y, wide, high) => {
    const rgba = new Uint8ClampedArray(wide * high * 4);
    for (let row = 0; row < high; row++) {
      for (let column = 0; column < wide; column++) {
        const from = ((y + row) * width + x + column) * 3;
        const to = (row * wide + column) * 4;
        for (let channel = 0; channel < 3; channel++) rgba[to + channel] = rgb[from + channel];
      }
    }
    return rgba;
  };
  writeFileSync(`${folder}/${name}.square`, resize(read, width, height, size, fit, most));
}
