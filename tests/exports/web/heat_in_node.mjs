// Paints heat with the page's own module. Arguments: the module, and a folder that holds case.json,
// picture.rgb (uint8) and map.f32; writes evidence.f32 and painted.rgb.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [, , module, folder] = process.argv;
const { evidence, paint } = await import(pathToFileURL(module));
const { width, height, map, classes, target } = JSON.parse(readFileSync(`${folder}/case.json`));
const rgb = readFileSync(`${folder}/picture.rgb`);
const data = new Uint8ClampedArray(width * height * 4).fill(255);
for (let i = 0; i < width * height * 3; i++) data[Math.floor(i / 3) * 4 + (i % 3)] = rgb[i];
const values = new Float32Array(new Uint8Array(readFileSync(`${folder}/map.f32`)).buffer);
const heat = evidence({ ...map, values }, classes, target);
paint({ data, width, height }, heat, map, { left: 0, top: 0, width, height });
writeFileSync(`${folder}/evidence.f32`, new Uint8Array(heat.buffer));
writeFileSync(`${folder}/painted.rgb`, data.filter((_, i) => i % 4 !== 3));
