// Writes client/src/schema.ts: the types of what the client sends and gets, from http/openapi.yaml. With --check it only compares.
// Only those schemas are taken, with what they refer to, so that changes elsewhere in the interface are no changes of the package.
import { readFileSync, writeFileSync } from 'node:fs';
import { load } from 'js-yaml';
import openapiTS, { astToString } from 'openapi-typescript';

const roots = ['Job', 'AcceptedJob', 'Submission'];
const target = new URL('../client/src/schema.ts', import.meta.url);
const whole = load(readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8'));

const schemas = {};
function take(name) {
  if (schemas[name]) return;
  schemas[name] = whole.components.schemas[name];
  for (const [, next] of JSON.stringify(schemas[name]).matchAll(/"#\/components\/schemas\/(\w+)"/g)) take(next);
}
roots.forEach(take);
schemas.VideoRequest = whole.paths['/v1/videos'].post.requestBody.content['application/json'].schema;

const part = { openapi: '3.1.0', info: whole.info, paths: {}, components: { schemas } };
const text = `// Written by scripts/schema.mjs from http/openapi.yaml: not to be edited.\n\n${astToString(await openapiTS(part, { alphabetize: true }))}`;
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  console.error('client/src/schema.ts is not what http/openapi.yaml says: run `make client` and commit it');
  process.exitCode = 1;
}
