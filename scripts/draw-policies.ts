/** Draws the pictures of docs/resilience.md into docs/resilience/. A test compares them with what it would draw. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packages.ts';
import { picturesOfPolicies } from './pictures/policies.ts';

const folder = join(root, 'docs/resilience');
mkdirSync(folder, { recursive: true });
for (const [name, picture] of Object.entries(await picturesOfPolicies())) writeFileSync(join(folder, name), picture);
